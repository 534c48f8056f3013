//! `amazon connect`: writes a credential file, and tries it.

use std::io::{Read, Write};
use std::path::PathBuf;

use tokio::runtime::Runtime;

use super::super::{Exit, Failure, Outcome};
use crate::bridge::spapi::client::{Moment, exchange};
use crate::bridge::spapi::{
    Account, Client, ClientSecret, Credential, Environment, Grant, Secret, Site,
};
use crate::clock::{Clock, System};
use crate::net::client::{self, Trust};

/// Write the credential file of an account, and try it
///
/// Standard input has two lines, so that no secret stands in a command: the application's client
/// secret, then the account's refresh token (a private application authorises itself in the
/// developer console), or with --code the code that the account's consent ended with.
#[derive(clap::Args)]
pub(super) struct Connect {
    /// The credential file to write; readable by you alone
    file: PathBuf,
    /// The application's client id
    #[arg(long, value_name = "ID")]
    application: String,
    /// simulator, sandbox or production
    #[arg(long, value_name = "ENVIRONMENT")]
    environment: Environment,
    /// The account's site
    #[arg(long, value_name = "SITE", default_value = "us")]
    site: String,
    /// Where a simulator on this machine is
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The second line is a code of the OAuth consent (five minutes old at most), not a token
    #[arg(long)]
    code: bool,
    /// The day on which the client secret was issued, so that its end is told in time; today
    #[arg(long, value_name = "DAY")]
    issued: Option<chrono::NaiveDate>,
    /// Keep the secret that the file has beside the new one: a rotation
    #[arg(long)]
    rotate: bool,
    /// Do not try to log in
    #[arg(long)]
    offline: bool,
}

impl Connect {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let text = input()?;
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let (Some(secret), Some(word)) = (lines.next(), lines.next()) else {
            return Err(Failure::usage(
                "standard input has two lines: the client secret, then the refresh token or the code",
            ));
        };
        let (secret, word) = (Secret::new(secret), Secret::new(word));
        let site = Site::find(&self.site)
            .ok_or_else(|| Failure::usage(format!("there is no site {:?}", self.site)))?;
        let account = Account::new("connect", self.environment, site, self.url.as_deref());
        let account = account.map_err(Failure::usage)?;
        let runtime = Runtime::new().map_err(Failure::state)?;
        runtime.block_on(Box::pin(self.connect(account, secret, word, out)))
    }

    async fn connect(
        &self,
        account: Account,
        secret: Secret,
        word: Secret,
        out: &mut dyn Write,
    ) -> Outcome {
        let http = client::Client::new(Trust::System, client::Limits::default());
        let refresh_token = match self.code {
            true => exchange(&http, &account, &word, &self.application, &secret)
                .await
                .map_err(|why| {
                    Failure::network(format!(
                        "{why}; a code is good for five minutes and for one use: let the account \
                         consent again"
                    ))
                })?,
            false => word,
        };
        let now = System.now();
        let issued = self.issued.unwrap_or(now.date_naive());
        let mut secrets = vec![ClientSecret {
            value: secret,
            issued: Some(issued),
        }];
        if self.rotate {
            let before = Credential::load(&self.file).map_err(Failure::state)?;
            account.takes(&before).map_err(Failure::state)?;
            secrets.extend(before.secrets.into_iter().take(1));
        }
        let credential = Credential {
            environment: self.environment,
            application: self.application.clone(),
            refresh_token,
            secrets,
        };
        if !self.offline {
            let client = Client::new(account, credential.clone()).map_err(Failure::state)?;
            let moment = Moment { now, draw: 0 };
            let token = client.token(&http, &Grant::Account, moment).await;
            token.map_err(|(why, _)| Failure::network(format!("{why}; nothing was written")))?;
        }
        credential.save(&self.file).map_err(Failure::state)?;
        let days = credential.days_left(now.date_naive()).unwrap_or_default();
        let file = self.file.display();
        writeln!(
            out,
            "{file} is written for {}; its secret ends in {days} days",
            self.environment
        )?;
        Ok(Exit::Clean)
    }
}

/// What people paste is short; what is longer is no secret.
fn input() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().take(64 << 10).read_to_string(&mut text);
    read.map_err(|why| Failure::usage(format!("cannot read standard input: {why}")))?;
    Ok(text)
}
