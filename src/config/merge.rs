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
        match &over {
            Value::Null => Ok(()),
            Value::Mapping(keys) => lay(
                as_mapping(&mut self.values),
                keys.clone(),
                "",
                &place,
                &mut self.places,
            ),
            Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Sequence(_)
            | Value::Tagged(_) => Err(ConfigError::WrongType {
                place: place(""),
                key: "the file".into(),
                found: kind(&over),
                wanted: "a list of sections",
            }),
        }
    }

    /// Lays a variable over what is there: `ORP_SERVER__SHARDS=4`.
    pub(super) fn variable(&mut self, name: &str, text: &str) -> Result<(), ConfigError> {
        let place = Place::Variable(name.into());
        let path: Vec<String> = name
            .strip_prefix(PREFIX)
            .unwrap_or(name)
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
        serde_yaml_ng::from_value(self.values.clone()).map_err(|whole| self.culprit::<T>(whole))
    }

    /// Names a value that does not fit: one that alone, over the defaults, is refused.
    fn culprit<T: DeserializeOwned>(&self, whole: serde_yaml_ng::Error) -> ConfigError {
        let defaults = Self::new(super::DEFAULT).values;
        let alone = self.places.iter().find_map(|(key, place)| {
            let path: Vec<String> = key.split('.').map(String::from).collect();
            let value = current(&self.values, &path)?.clone();
            let mut over = defaults.clone();
            *path
                .iter()
                .try_fold(&mut over, |section, key| section.get_mut(key.as_str()))? = value;
            let cause = serde_yaml_ng::from_value::<T>(over).err()?;
            Some((key.clone(), place.clone(), cause))
        });
        let (key, place, cause) = alone.unwrap_or((String::new(), Place::BuiltIn, whole));
        // The cause begins with the key where it knows it, which is said already.
        let cause = cause.to_string();
        let cause = cause
            .strip_prefix(&format!("{key}: "))
            .unwrap_or(&cause)
            .into();
        ConfigError::BadValue { place, key, cause }
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
        // A key may be any value in YAML; ours are texts, so that another one is unknown.
        let key = match key.as_str() {
            Some(key) => key.to_owned(),
            None => serde_yaml_ng::to_string(&key)
                .map_or_else(|_unprintable| kind(&key).into(), |text| text.trim().into()),
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

/// The lines of a file's keys, by their indentation. A key in flow style
/// (`{a: 1}`) has none of its own and gets the line of its section.
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
        match (self.0.get(path), path.rsplit_once('.')) {
            (Some(line), _) => *line,
            (None, Some((section, _))) => self.of_key(section),
            (None, None) => 0,
        }
    }
}
