//! What a schema finds wrong, as callers are told.

use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::Value;

use crate::domain::{error::Fault, instant::NotAnInstant};

/// Takes the member at a JSON pointer out of a body.
pub(super) fn remove(body: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    if let Some(parent) = body.pointer_mut(parent).and_then(Value::as_object_mut) {
        parent.remove(&unescape(name));
    }
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// A token of a JSON pointer (RFC 6901, section 3).
pub(in crate::http) fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

/// Translates what the schema validator says into faults of ours.
pub(super) fn describe(error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
    let pointer = error.instance_path().to_string();
    let fault = |code, message: String| Fault::body(pointer.clone(), code, message);
    let limited = |code, message: String, name: &str, limit: Value| fault(code, message).with(name, limit);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            faults.extend(unexpected.iter().map(|name| {
                Fault::body(
                    format!("{pointer}/{}", escape(name)),
                    "unknown_field",
                    format!("there is no field {name:?} here"),
                )
            }));
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            faults.push(Fault::body(format!("{pointer}/{}", escape(name)), "required", "is required"));
        }
        ValidationErrorKind::Type { kind } => {
            faults.push(fault("wrong_type", format!("must be {}", types(kind))))
        }
        ValidationErrorKind::MaxLength { limit } => {
            faults.push(limited(
                "too_long",
                format!("must be at most {limit} characters"),
                "max",
                (*limit).into(),
            ));
        }
        ValidationErrorKind::MinLength { limit: 1 } => {
            faults.push(fault("blank", "must not be empty".to_owned()))
        }
        ValidationErrorKind::MinLength { limit } => {
            faults.push(limited(
                "too_short",
                format!("must be at least {limit} characters"),
                "min",
                (*limit).into(),
            ));
        }
        ValidationErrorKind::MaxItems { limit } => {
            faults.push(limited(
                "too_many",
                format!("must have at most {limit} items"),
                "max",
                (*limit).into(),
            ));
        }
        ValidationErrorKind::MinItems { limit } => {
            faults.push(limited(
                "too_few",
                format!("must have at least {limit} items"),
                "min",
                (*limit).into(),
            ));
        }
        ValidationErrorKind::Maximum { limit } => {
            faults.push(limited("too_large", format!("must be at most {limit}"), "max", limit.clone()));
        }
        ValidationErrorKind::Minimum { limit } => {
            faults.push(limited("too_small", format!("must be at least {limit}"), "min", limit.clone()));
        }
        ValidationErrorKind::Enum { options } => {
            faults.push(limited(
                "not_allowed",
                format!("must be one of {options}"),
                "allowed",
                (**options).clone(),
            ));
        }
        ValidationErrorKind::Pattern { pattern } => {
            let message = "does not have the right form".to_owned();
            faults.push(limited("bad_format", message, "pattern", Value::from(pattern.clone())));
        }
        // Other formats are not checked.
        ValidationErrorKind::Format { .. } => faults.push(fault("bad_instant", NotAnInstant.to_string())),
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            describe_variant(&pointer, context, faults);
        }
        _ => faults.push(fault("invalid", error.to_string())),
    }
}

/// None of several variants fits. The variant that was meant is the one with the right `type`, or the one of the right
/// JSON type; its faults are told. If there is none, the allowed values of `type` are.
fn describe_variant(pointer: &str, context: &[Vec<ValidationError<'static>>], faults: &mut Vec<Fault>) {
    let type_pointer = format!("{pointer}/type");
    let misses_tag = |errors: &[ValidationError<'static>]| {
        errors.iter().any(|error| match error.kind() {
            ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => {
                error.instance_path().as_str() == type_pointer
            }
            ValidationErrorKind::Required { property } => {
                error.instance_path().as_str() == pointer && property == "type"
            }
            ValidationErrorKind::Type { .. } => error.instance_path().as_str() == pointer,
            _ => false,
        })
    };
    if let Some(meant) = context.iter().find(|errors| !misses_tag(errors)) {
        for error in meant {
            describe(error, faults);
        }
        return;
    }
    let mut allowed = Vec::new();
    let mut kinds = Vec::new();
    for error in context.iter().flatten() {
        match error.kind() {
            ValidationErrorKind::Enum { options } => {
                allowed.extend(options.as_array().into_iter().flatten().cloned())
            }
            ValidationErrorKind::Constant { expected_value } => allowed.push((**expected_value).clone()),
            ValidationErrorKind::Type { kind } => kinds.push(types(kind)),
            _ => {}
        }
    }
    if allowed.is_empty() {
        kinds.dedup();
        faults.push(Fault::body(pointer, "wrong_type", format!("must be {}", kinds.join(" or "))));
    } else {
        let names: Vec<_> = allowed.iter().filter_map(Value::as_str).collect();
        let message = format!("must be one of {}", names.join(", "));
        faults.push(Fault::body(type_pointer, "not_allowed", message).with("allowed", allowed));
    }
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => kind.to_string(),
        TypeKind::Multiple(kinds) => {
            kinds.iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(" or ")
        }
    }
}
