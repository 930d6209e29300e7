//! The limit of the HTTP stack: a bare Actix server that answers every request with the same bytes from memory. Nothing is
//! looked up, counted, logged or checked.
//!
//! `cargo run --release --example bare -- answer.json 127.0.0.1:8091`

use actix_web::{App, HttpResponse, HttpServer, web};

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().unwrap_or_else(|| "answer.json".to_owned());
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8091".to_owned());
    let answer = web::Bytes::from(std::fs::read(file)?);
    HttpServer::new(move || {
        let answer = answer.clone();
        App::new().default_service(web::to(move || {
            let answer = answer.clone();
            async move { HttpResponse::Ok().content_type("application/json").body(answer) }
        }))
    })
    .workers(2)
    .bind(address)?
    .run()
    .await
}
