//! What the value of a setting must be.

use std::{fmt, net::IpAddr, ops::RangeInclusive, path::PathBuf};

use config::{Value, ValueKind};
use ipnet::IpNet;
use secrecy::SecretString;

use crate::{
    domain::{
        identity::{NotAReturnUrl, ReturnUrl, parse_role},
        user::Role,
    },
    store::conn::DatabaseUrl,
    telemetry,
};

pub(super) fn text(value: &Value) -> Result<&str, String> {
    match &value.kind {
        ValueKind::String(text) if !text.trim().is_empty() => Ok(text.trim()),
        _ => Err("must be a text that is not empty".to_owned()),
    }
}

/// A whole number; in the environment it is a text.
pub(super) fn whole<T: TryFrom<i64> + PartialOrd + fmt::Display>(
    value: &Value,
    range: RangeInclusive<T>,
) -> Result<T, String> {
    let number = match &value.kind {
        ValueKind::I64(number) => Some(*number),
        ValueKind::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number.and_then(|number| T::try_from(number).ok()).filter(|number| range.contains(number));
    number.ok_or_else(|| {
        format!("must be a whole number from {} to {}, not {value}", range.start(), range.end())
    })
}

/// Seconds, a day at most.
pub(super) fn seconds(value: &Value) -> Result<u64, String> {
    whole(value, 0..=86_400)
}

pub(super) fn one_of<T: Copy>(value: &Value, choices: &[(&str, T)]) -> Result<T, String> {
    let chosen = text(value).ok().and_then(|text| choices.iter().find(|(name, _)| *name == text));
    chosen.map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        format!("must be {}, not {value}", names.join(" or "))
    })
}

pub(super) fn path(value: &Value) -> Result<PathBuf, String> {
    text(value).map(PathBuf::from)
}

pub(super) fn listen(value: &Value) -> Result<String, String> {
    let text = text(value)?;
    let is_address =
        text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if is_address { Ok(text.to_owned()) } else { Err(format!("must be HOST:PORT, not {text:?}")) }
}

/// The value is not told: it may hold a password.
pub(super) fn database_url(value: &Value) -> Result<DatabaseUrl, String> {
    text(value)?.parse().map_err(|error: crate::store::conn::UnknownDatabase| error.to_string())
}

pub(super) fn public_url(value: &Value) -> Result<String, String> {
    let text = text(value)?;
    let fits = url::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    if fits {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err(format!("must be an address such as https://cms.example.org, not {text:?}"))
    }
}

pub(super) fn log_filter(value: &Value) -> Result<String, String> {
    let text = text(value)?;
    telemetry::check_filter(text)
        .map_err(|_| format!("must be a filter such as info,masthead=debug, not {text:?}"))?;
    Ok(text.to_owned())
}

/// Requests a minute.
pub(super) fn rate(value: &Value) -> Result<u32, String> {
    whole(value, 0..=1_000_000_000)
}

/// In the environment it is a text.
pub(super) fn truth(value: &Value) -> Result<bool, String> {
    match &value.kind {
        ValueKind::Boolean(truth) => Ok(*truth),
        ValueKind::String(text) => text.trim().parse().map_err(|_| "must be true or false".to_owned()),
        _ => Err("must be true or false".to_owned()),
    }
}

/// Items of a list or, in the environment, of a text with commas.
pub(super) fn list<T>(value: &Value, item: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    match &value.kind {
        ValueKind::Array(items) => items.iter().map(|value| item(text(value)?)).collect(),
        ValueKind::String(text) => {
            text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(item).collect()
        }
        _ => Err("must be a list of texts".to_owned()),
    }
}

pub(super) fn networks(value: &Value) -> Result<Vec<IpNet>, String> {
    list(value, |text| {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let network = network
            .map_err(|_| format!("must be addresses and networks such as 10.0.0.0/8, not {text:?}"))?;
        // The addresses of clients are never written like this, so it would trust nobody.
        match network.addr().to_canonical() {
            IpAddr::V4(_) if network.addr().is_ipv6() => {
                Err(format!("must have IPv4 networks as such, not as IPv6 like {text:?}"))
            }
            _ => Ok(network),
        }
    })
}

pub(super) fn origins(value: &Value) -> Result<Vec<String>, String> {
    list(value, |text| {
        let fits = url::Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
        });
        let must =
            || format!("must be origins such as https://desk.example.org, in lower case, not {text:?}");
        if fits { Ok(text.to_owned()) } else { Err(must()) }
    })
}

pub(super) fn parsed<T: std::str::FromStr<Err: fmt::Display>>(value: &Value) -> Result<T, String> {
    text(value)?.parse().map_err(|error: T::Err| error.to_string())
}

/// The value is not told.
pub(super) fn secret(value: &Value) -> Result<SecretString, String> {
    text(value).map(SecretString::from)
}

/// A list, or its items with spaces or commas between them.
pub(super) fn words(value: &Value) -> Result<Vec<String>, String> {
    let words: Vec<_> = match &value.kind {
        ValueKind::Array(items) => items.iter().map(text).collect::<Result<_, _>>()?,
        _ => text(value)?.split([' ', ',']).filter(|word| !word.is_empty()).collect(),
    };
    if words.is_empty() {
        return Err("must not be empty".to_owned());
    }
    Ok(words.into_iter().map(str::to_owned).collect())
}

pub(super) fn return_urls(value: &Value) -> Result<Vec<ReturnUrl>, String> {
    let urls = words(value)?.iter().map(|url| url.parse()).collect::<Result<_, _>>();
    urls.map_err(|error: NotAReturnUrl| error.to_string())
}

pub(super) fn role(value: &Value) -> Result<Role, String> {
    let names: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
    let found = text(value).ok().and_then(parse_role);
    found.ok_or_else(|| format!("must be {}, not {value}", names.join(" or ")))
}

/// How this machine reaches what listens there.
pub(super) fn own_url(listen: &str) -> String {
    let (host, port) = listen.rsplit_once(':').unwrap_or((listen, "80"));
    let host = match host {
        "0.0.0.0" | "[::]" => "127.0.0.1",
        host => host,
    };
    format!("http://{host}:{port}")
}
