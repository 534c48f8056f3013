//! An account of the API: whose orders, where it is asked, and in which of three environments.
//!
//! The environment is part of every identity: of credentials, buckets, watermarks, submissions. What
//! belongs to one is refused by the others, so that no test reaches production by a wrong file.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};

use super::{Context, Credential, DirectVersion, Site};

/// Where access tokens come from, outside a simulator.
const LOGIN: &str = "https://api.amazon.com/auth/o2/token";
/// The path of the same below a simulator's URL.
const LOGIN_PATH: &str = "/auth/o2/token";

/// Which world an account is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// A server of our own on this machine.
    Simulator,
    /// The API's own test hosts, whose answers are canned.
    Sandbox,
    /// Orders, goods and money.
    Production,
}

impl Environment {
    /// Its word in files and keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Environment::Simulator => "simulator",
            Environment::Sandbox => "sandbox",
            Environment::Production => "production",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = String;

    fn from_str(word: &str) -> Result<Environment, String> {
        use Environment::{Production, Sandbox, Simulator};
        let mut all = [Simulator, Sandbox, Production].into_iter();
        let found = all.find(|one| one.as_str() == word);
        found.ok_or_else(|| format!("{word:?} is none of simulator, sandbox, production"))
    }
}

/// Why an account cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A credential of one environment for an account of another.
    #[error(
        "the credential is for {credential}, and the account is {account}; each environment has its \
         own credential"
    )]
    Environment {
        /// The account's.
        account: Environment,
        /// The credential's.
        credential: Environment,
    },
    /// A URL that no simulator can have.
    #[error("a simulator is on this machine: its url is http://127.0.0.1:PORT, not {0:?}")]
    Simulator(String),
    /// A URL where the region says it.
    #[error("an account in {0} is asked at its region's host; leave the url out")]
    Url(Environment),
    /// The site has no region that we know.
    #[error("the site {0} has no region with hosts")]
    Region(String),
}

/// An account, as it is asked.
#[derive(Clone, Debug)]
pub struct Account {
    /// What we call it.
    pub name: String,
    /// Its environment.
    pub environment: Environment,
    /// Its site: of a group of vendor codes that sells on several, one.
    pub site: Site,
    /// Where the API is, without a slash at the end.
    pub base: String,
    /// Where access tokens are given.
    pub login: String,
    /// The vendor codes that are its own; none is all that the authorisation sees.
    pub vendor_codes: Vec<String>,
    /// How far its own dates are from UTC.
    pub offset: FixedOffset,
    /// Whether the buyer pays the freight.
    pub collect: bool,
    /// Whether it is of direct fulfillment.
    pub direct: bool,
    /// The version of direct fulfillment's APIs that it is asked by.
    pub version: DirectVersion,
}

impl Account {
    /// An account of a site; a simulator's has a URL, the others have not.
    ///
    /// # Errors
    /// [`Misfit`].
    pub fn new(
        name: &str,
        environment: Environment,
        site: &Site,
        url: Option<&str>,
    ) -> Result<Account, Misfit> {
        let region = || {
            let region = site.region();
            region.ok_or_else(|| Misfit::Region(site.name.clone()))
        };
        let (base, login) = match (environment, url) {
            (Environment::Simulator, url) => {
                let url = url.unwrap_or_default().trim_end_matches('/');
                if !loopback(url) {
                    return Err(Misfit::Simulator(url.to_owned()));
                }
                (url.to_owned(), format!("{url}{LOGIN_PATH}"))
            }
            (_, Some(_)) => return Err(Misfit::Url(environment)),
            (Environment::Sandbox, None) => (region()?.sandbox.clone(), LOGIN.to_owned()),
            (Environment::Production, None) => (region()?.endpoint.clone(), LOGIN.to_owned()),
        };
        Ok(Account {
            name: name.to_owned(),
            environment,
            site: site.clone(),
            base,
            login,
            vendor_codes: Vec::new(),
            offset: FixedOffset::east_opt(0).expect("zero is in range"),
            collect: false,
            direct: false,
            version: DirectVersion::V1,
        })
    }

    /// Whether a credential is for this account.
    ///
    /// # Errors
    /// [`Misfit::Environment`].
    pub fn takes(&self, credential: &Credential) -> Result<(), Misfit> {
        match self.environment == credential.environment {
            true => Ok(()),
            false => Err(Misfit::Environment {
                account: self.environment,
                credential: credential.environment,
            }),
        }
    }

    /// What is kept of it is kept under this: environment, region, name.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}/{}", self.environment, self.site.region, self.name)
    }

    /// What a map must know that neither side says.
    #[must_use]
    pub fn context(&self, now: DateTime<Utc>) -> Context {
        let mut context = Context::new(&self.site, now);
        context.vendor_code = match self.vendor_codes.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        };
        context.offset = self.offset;
        context.collect = self.collect;
        context.direct = self.direct;
        context
    }
}

/// Whether a URL is plain HTTP to this machine, whatever else stands in it.
fn loopback(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let address = host
        .parse()
        .is_ok_and(|address: IpAddr| address.is_loopback());
    !authority.contains('@') && (address || host == "localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_environment_has_its_hosts() {
        let us = Site::find("us").unwrap();
        let new = |environment, url| Account::new("a", environment, us, url);
        let simulator = new(Environment::Simulator, Some("http://127.0.0.1:9/")).unwrap();
        assert_eq!(simulator.login, "http://127.0.0.1:9/auth/o2/token");
        assert_eq!(simulator.key(), "simulator/na/a");
        let sandbox = new(Environment::Sandbox, None).unwrap();
        assert!(sandbox.base.starts_with("https://sandbox."));
        let production = new(Environment::Production, None).unwrap();
        assert!(production.base.ends_with("-na.amazon.com"));
        assert_ne!(sandbox.key(), production.key());
        for url in [
            "",
            "https://127.0.0.1",
            "http://127.0.0.1@example.com",
            "http://example.com/127.0.0.1",
            "http://127.0.0.1.example.com",
        ] {
            let refused = new(Environment::Simulator, Some(url)).unwrap_err();
            assert!(matches!(refused, Misfit::Simulator(_)), "{url}");
        }
        assert!(new(Environment::Production, Some("http://127.0.0.1")).is_err());
        assert!(new(Environment::Simulator, Some("http://[::1]:80")).is_ok());
    }
}
