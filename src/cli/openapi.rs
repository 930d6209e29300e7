//! `masthead openapi`

use std::{fs, io, path::PathBuf};

use clap::Args as ClapArgs;

use super::{Failure, say};
use crate::{app, domain::error::Error};

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Write nothing; fail if the file is not what would be written
    #[arg(long)]
    check: bool,
    /// The file
    #[arg(long, value_name = "FILE", default_value = "openapi/openapi.json")]
    output: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let document = app::openapi()?;
    let text = serde_json::to_string_pretty(&document);
    let text = text.map_err(|error| Error::internal("writing the OpenAPI document", error))? + "\n";
    let file = args.output.display();
    if args.check {
        let present = match fs::read_to_string(&args.output) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|error| Failure(format!("cannot read {file}: {error}")))?,
        };
        if present == text {
            return say(format_args!("{file} is up to date"));
        }
        let line = present.lines().zip(text.lines()).take_while(|(present, new)| present == new).count() + 1;
        return Err(Failure(format!(
            "{file} is out of date from line {line} on; run: cargo run -- openapi --output {file}"
        )));
    }
    if let Some(folder) = args.output.parent() {
        fs::create_dir_all(folder)
            .map_err(|error| Failure(format!("cannot make {}: {error}", folder.display())))?;
    }
    fs::write(&args.output, text).map_err(|error| Failure(format!("cannot write {file}: {error}")))?;
    say(format_args!("wrote {file}"))
}
