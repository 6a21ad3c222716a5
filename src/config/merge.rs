//! Laying a configuration over the defaults, whose keys and types are the schema.

use std::{collections::BTreeMap, fmt};

use serde::de::DeserializeOwned;
use serde_yaml_ng::{Mapping, Value};

use super::{ConfigError, PREFIX};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of a file, from 1; 0 when it could not be told.
    Line(String, usize),
    /// A variable of the environment.
    Variable(String),
    /// The defaults that are built in.
    BuiltIn,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(file, 0) => write!(f, "{file}"),
            Self::Line(file, line) => write!(f, "{file}:{line}"),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::BuiltIn => f.write_str("built-in defaults"),
        }
    }
}

/// The defaults with what was laid over them, and where each value came from.
pub(super) struct Merged {
    values: Value,
    places: BTreeMap<String, Place>,
}

impl Merged {
    pub(super) fn new(defaults: &str) -> Self {
        let values = serde_yaml_ng::from_str(defaults).expect("a test reads the built-in defaults");
        Self {
            values,
            places: BTreeMap::new(),
        }
    }

    /// Lays a file over what is there.
    pub(super) fn file(&mut self, name: &str, text: &str) -> Result<(), ConfigError> {
        let over: Value = serde_yaml_ng::from_str(text).map_err(|error| ConfigError::Syntax {
            place: Place::Line(name.into(), error.location().map_or(0, |at| at.line())),
            cause: error.to_string(),
        })?;
        let lines = Lines::of(text);
        let place = |path: &str| Place::Line(name.into(), lines.of_key(path));
        match over {
            Value::Null => Ok(()),
            Value::Mapping(over) => lay(
                as_mapping(&mut self.values),
                over,
                "",
                &place,
                &mut self.places,
            ),
            other => Err(ConfigError::WrongType {
                place: place(""),
                key: "the file".into(),
                found: kind(&other),
                wanted: "a list of sections",
            }),
        }
    }

    /// Lays a variable over what is there: `ORP_SERVER__SHARDS=4`.
    pub(super) fn variable(&mut self, name: &str, text: &str) -> Result<(), ConfigError> {
        let place = Place::Variable(name.into());
        let path: Vec<String> = name
            .trim_start_matches(PREFIX)
            .split("__")
            .map(str::to_lowercase)
            .collect();
        let value = match current(&self.values, &path) {
            // A text may look like a number.
            Some(Value::String(_)) => Value::String(text.into()),
            Some(_) | None => {
                serde_yaml_ng::from_str(text).unwrap_or_else(|_not_yaml| Value::String(text.into()))
            }
        };
        let nested = path.iter().rev().fold(value, |value, key| {
            let mut section = Mapping::new();
            section.insert(Value::String(key.clone()), value);
            Value::Mapping(section)
        });
        let Value::Mapping(over) = nested else {
            unreachable!("a path has at least one key")
        };
        lay(
            as_mapping(&mut self.values),
            over,
            "",
            &|_| place.clone(),
            &mut self.places,
        )
    }

    /// Where the value of a key came from.
    pub(super) fn place(&self, path: &str) -> Place {
        self.places.get(path).cloned().unwrap_or(Place::BuiltIn)
    }

    /// The values as a type.
    pub(super) fn typed<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        // Value by value, so that the one that does not fit can be named.
        serde_yaml_ng::from_value(self.values.clone()).map_err(|whole| {
            let culprit = self.places.keys().find(|path| {
                let mut without = Self {
                    values: self.values.clone(),
                    places: BTreeMap::new(),
                };
                without.reset(path);
                serde_yaml_ng::from_value::<T>(without.values).is_ok()
            });
            ConfigError::BadValue {
                place: culprit.map_or(Place::BuiltIn, |path| self.place(path)),
                key: culprit.cloned().unwrap_or_default(),
                cause: whole.to_string(),
            }
        })
    }

    fn reset(&mut self, path: &str) {
        let path: Vec<String> = path.split('.').map(String::from).collect();
        let defaults = Self::new(super::DEFAULT).values;
        let Some(default) = current(&defaults, &path).cloned() else {
            return;
        };
        let last = path
            .iter()
            .try_fold(&mut self.values, |value, key| value.get_mut(key.as_str()));
        if let Some(value) = last {
            *value = default;
        }
    }
}

fn current<'a>(values: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter()
        .try_fold(values, |value, key| value.get(key.as_str()))
}

fn as_mapping(values: &mut Value) -> &mut Mapping {
    values.as_mapping_mut().expect("the defaults are sections")
}

fn lay(
    under: &mut Mapping,
    over: Mapping,
    prefix: &str,
    place: &dyn Fn(&str) -> Place,
    places: &mut BTreeMap<String, Place>,
) -> Result<(), ConfigError> {
    for (key, value) in over {
        let key = match key {
            Value::String(key) => key,
            other => format!("{other:?}"),
        };
        let path = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        let Some(known) = under.get_mut(key.as_str()) else {
            let keys = under.keys().filter_map(Value::as_str);
            return Err(ConfigError::UnknownKey {
                place: place(&path),
                nearest: nearest(&key, keys),
                key: path,
            });
        };
        match (known, value) {
            (Value::Mapping(under), Value::Mapping(over)) => {
                lay(under, over, &path, place, places)?
            }
            // A section with nothing in it changes nothing.
            (Value::Mapping(_), Value::Null) => {}
            (known, value) if kind(known) == kind(&value) => {
                *known = value;
                places.insert(path.clone(), place(&path));
            }
            (known, value) => {
                return Err(ConfigError::WrongType {
                    place: place(&path),
                    key: path,
                    found: kind(&value),
                    wanted: kind(known),
                });
            }
        }
    }
    Ok(())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_u64() => "a whole number",
        Value::Number(_) => "a number below zero or with a fraction",
        Value::String(_) => "a text",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "a section",
        Value::Tagged(_) => "a tag",
    }
}

/// The nearest of some keys, if one is near.
fn nearest<'a>(key: &str, keys: impl Iterator<Item = &'a str>) -> Option<String> {
    keys.map(|known| (distance(key, known), known))
        .filter(|(distance, known)| *distance <= known.len() / 2)
        .min()
        .map(|(_, known)| known.into())
}

/// How many letters must be put in, taken out or changed (Levenshtein 1966).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.chars().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The lines of a file's keys, by their indentation. A file in flow style
/// (`{a: 1}`) has no lines for its keys.
struct Lines(BTreeMap<String, usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let mut lines = BTreeMap::new();
        let mut open: Vec<(usize, String)> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let body = line.trim_start();
            let Some((key, _)) = body
                .split_once(':')
                .filter(|_| !body.starts_with(['#', '-']))
            else {
                continue;
            };
            let indent = line.len() - body.len();
            open.retain(|(outer, _)| *outer < indent);
            open.push((indent, key.trim().trim_matches(['"', '\'']).into()));
            let path: Vec<&str> = open.iter().map(|(_, key)| key.as_str()).collect();
            lines.insert(path.join("."), index + 1);
        }
        Self(lines)
    }

    fn of_key(&self, path: &str) -> usize {
        self.0.get(path).copied().unwrap_or(0)
    }
}
