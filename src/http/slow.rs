//! Clients that are slow to send what they have announced.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    HttpMessage as _, HttpRequest,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::PayloadError,
    middleware::Next,
    web::{Bytes, Data},
};
use futures_core::Stream;

use crate::domain::error::{Error, ErrorCode};

/// How long a client may take to send a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyTimeout(pub Duration);

impl BodyTimeout {
    pub(super) fn of(request: &HttpRequest) -> Result<Self, Error> {
        let timeout = request.app_data::<Data<Self>>().map(|timeout| *timeout.get_ref());
        timeout.ok_or_else(|| Error::Internal("the application has no timeout".to_owned()))
    }

    /// Waits for a body, but not for ever.
    pub(super) async fn wait<T>(self, body: impl Future<Output = T>) -> Result<T, Error> {
        let waited = tokio::time::timeout(self.0, body).await;
        let detail = || format!("The body must arrive within {} seconds.", self.0.as_secs_f32());
        waited.map_err(|_| Error::Other(ErrorCode::TooSlow, detail()))
    }
}

/// Middleware: hangs up after the answer if the body has not come to its end by then. Actix does so by itself if the
/// length was announced; with chunks it would read on for as long as the client likes, unless it sees that somebody
/// still holds the body.
pub(crate) async fn hang_up<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if !request.chunked().unwrap_or(false) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let body = Rc::new(RefCell::new(request.take_payload()));
    request.set_payload(Payload::Stream { payload: Box::pin(Shared(Rc::clone(&body))) });
    let response = next.call(request).await?;
    Ok(response.map_body(|_, answer| Holding { answer: answer.boxed(), _body: body }).map_into_boxed_body())
}

/// The body of a request that two hold.
struct Shared(Rc<RefCell<Payload>>);

impl Stream for Shared {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}

/// An answer that holds the body of its request until it is sent.
struct Holding {
    answer: BoxBody,
    _body: Rc<RefCell<Payload>>,
}

impl MessageBody for Holding {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(context)
    }
}
