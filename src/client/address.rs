//! Where a server listens.

use std::fmt;
use std::str::FromStr;

/// A server's address, `http://host:port`. Always has a port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address(String);

/// What is not an address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    /// Something other than `http://`.
    #[error("{0}: only http:// addresses are understood")]
    Scheme(String),
    /// Not `host:port`.
    #[error("{0}: expected host:port or http://host:port")]
    HostAndPort(String),
}

impl Address {
    /// As `http://host:port`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `host:port` with what a file name cannot hold replaced.
    pub fn file_name(&self) -> String {
        let host = self.0.trim_start_matches("http://");
        let kept = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        host.chars()
            .map(|c| if kept(c) { c } else { '_' })
            .collect()
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        let rest = match text.split_once("://") {
            Some(("http", rest)) => rest,
            Some(_) => return Err(AddressError::Scheme(text.into())),
            None => text,
        };
        let rest = rest.trim_end_matches('/');
        let host_and_port = || AddressError::HostAndPort(text.into());
        let (host, port) = rest.rsplit_once(':').ok_or_else(host_and_port)?;
        let bracketed = host.starts_with('[') && host.ends_with(']');
        let plain = !host.contains([':', '/', '@', '?', '#', '[', ']'])
            && !host.contains(char::is_whitespace);
        if host.is_empty() || !(bracketed || plain) || port.parse::<u16>().is_err() {
            return Err(host_and_port());
        }
        Ok(Address(format!("http://{rest}")))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, AddressError};

    #[test]
    fn addresses_with_and_without_scheme() {
        let check = |text: &str, expected: Result<&str, AddressError>| {
            let parsed = text.parse::<Address>();
            assert_eq!(
                parsed.as_ref().map(Address::as_str),
                expected.as_ref().copied()
            );
        };
        let not = |text: &str| Err(AddressError::HostAndPort(text.into()));
        check("localhost:50051", Ok("http://localhost:50051"));
        check("http://10.0.0.1:1", Ok("http://10.0.0.1:1"));
        check("http://10.0.0.1:1/", Ok("http://10.0.0.1:1"));
        check("[::1]:50051", Ok("http://[::1]:50051"));
        check("localhost", not("localhost"));
        check("::1:50051", not("::1:50051"));
        check("host:99999", not("host:99999"));
        check("a b:1", not("a b:1"));
        check("", not(""));
        check(
            "https://x:1",
            Err(AddressError::Scheme("https://x:1".into())),
        );
    }

    #[test]
    fn a_file_name_has_no_separator() {
        let address: Address = "[::1]:50051".parse().unwrap();
        assert_eq!(address.file_name(), "___1__50051");
    }
}
