//! Where settings come from: the file and the environment, taken one by one.

use std::collections::HashMap;

use config::{Environment, FileFormat, Source, Value};

/// What the names of settings in the environment begin with.
const PREFIX: &str = "MASTHEAD";

/// Names with the prefix that are no settings, in lower case and without it.
const NO_SETTINGS: [&str; 2] = [
    // What `masthead user add` reads.
    "password",
    // What the tests read.
    "test_database_url",
];

/// What Kubernetes adds to every container beside a service that is named "masthead".
const SERVICE_LINKS: [&str; 2] = ["service_", "port"];

/// The settings of one place.
pub(super) struct Layer {
    pub(super) place: Place,
    pub(super) values: HashMap<String, Value>,
}

/// Where settings come from.
pub(super) enum Place {
    File(String),
    Environment,
}

impl Place {
    /// Names a setting as its writer wrote it.
    pub(super) fn name(&self, key: &str) -> String {
        match self {
            Self::File(file) => format!("{file}: `{key}`"),
            Self::Environment => format!("environment: `{PREFIX}_{}`", key.to_uppercase()),
        }
    }
}

impl Layer {
    pub(super) fn toml(name: String, text: &str) -> Result<Self, String> {
        let collected = config::File::from_str(text, FileFormat::Toml).collect();
        let values = collected.map_err(|error| format!("{name}: is not TOML: {error}"))?;
        Ok(Self { place: Place::File(name), values: values.into_iter().collect() })
    }

    /// What is empty counts as not set. `variables` takes the place of the environment.
    pub(super) fn environment(variables: Option<HashMap<String, String>>) -> Result<Self, String> {
        let source = Environment::with_prefix(PREFIX).ignore_empty(true).source(variables);
        let collected = source.collect().map_err(|error| format!("environment: {error}"))?;
        let mut values: HashMap<_, _> = collected.into_iter().collect();
        values.retain(|key, _| {
            !NO_SETTINGS.contains(&key.as_str()) && !SERVICE_LINKS.iter().any(|link| key.starts_with(link))
        });
        Ok(Self { place: Place::Environment, values })
    }
}

/// Takes settings out of the layers; what is left at the end is unknown.
pub(super) struct Reader {
    pub(super) layers: Vec<Layer>,
    pub(super) faults: Vec<String>,
}

impl Reader {
    /// The value of the last layer that has one. `parse` tells what the value must be if it is not that.
    pub(super) fn take<T>(&mut self, key: &str, parse: impl Fn(&Value) -> Result<T, String>) -> Option<T> {
        let mut found = None;
        for layer in &mut self.layers {
            let Some(value) = layer.values.remove(key) else { continue };
            match parse(&value) {
                Ok(value) => found = Some(value),
                Err(must) => self.faults.push(format!("{} {must}", layer.place.name(key))),
            }
        }
        found
    }

    /// Whether any layer has a setting whose name begins so.
    pub(super) fn has_any(&self, prefix: &str) -> bool {
        self.layers.iter().any(|layer| layer.values.keys().any(|key| key.starts_with(prefix)))
    }

    pub(super) fn finish(mut self) -> Vec<String> {
        for layer in &self.layers {
            let mut unknown: Vec<_> = layer.values.keys().collect();
            unknown.sort();
            self.faults.extend(unknown.iter().map(|key| format!("{} is no setting", layer.place.name(key))));
        }
        self.faults
    }
}
