//! `transload init`: a folder from which the gateway runs, without a question.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::cert::{make, spoken};
use super::{Exit, Failure, Outcome};
use crate::config::Config;

/// Begin: settings, a key with its certificate, a folder for partners
///
/// What is there already is not touched: settings that exist are an error.
#[derive(clap::Args)]
pub(super) struct Init {
    /// Our AS2 name, as partners are to write it: case counts
    #[arg(long, value_name = "NAME")]
    as2_id: String,
    /// The URL at which partners reach us, where that is not the address that we listen on
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Where partners post to
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:4080")]
    as2_listen: String,
    /// Where operators look
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4081")]
    admin_listen: String,
    /// Our X12 name (ISA06) [default: the AS2 name, where it fits]
    #[arg(long, value_name = "ID")]
    x12_id: Option<String>,
    /// Its qualifier (ISA05)
    #[arg(long, value_name = "CODE", default_value = "ZZ")]
    x12_qualifier: String,
    /// The folder
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Characters of ISA06.
const ISA_ID: usize = 15;

impl Init {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let (text, file) = (self.settings(), self.dir.join("transload.toml"));
        let shown = file.to_string_lossy();
        let config = Config::parse(&text, &shown, &|_| None).map_err(Failure::usage)?;
        if file.exists() {
            return Err(Failure::state(format!(
                "{shown} is there already: this folder has begun; name another one with --dir"
            )));
        }
        let failed = |path: &Path, why: &std::io::Error| {
            Failure::state(format!("cannot write {}: {why}", path.display()))
        };
        fs::create_dir_all(&config.partners).map_err(|why| failed(&config.partners, &why))?;
        let own = make(&config.keys, &self.as2_id)?;
        // Last, so that a folder that has settings has all of it.
        fs::write(&file, &text).map_err(|why| failed(&file, &why))?;
        if self.json {
            let told = json!({
                "settings": file,
                "keys": config.keys,
                "partners": config.partners,
                "as2_id": self.as2_id,
                "fingerprint": own.fingerprint(),
                "valid_until": own.not_after(),
            });
            writeln!(out, "{told}")?;
            return Ok(Exit::Clean);
        }
        writeln!(
            out,
            "{shown}  the settings\n{}  our key: keep it secret, and keep a copy\n{}  a file a \
             partner\n\n{}, valid until {}; its SHA-256 fingerprint, to be read out:\n",
            config.keys.display(),
            config.partners.display(),
            own.subject(),
            own.not_after().date_naive(),
        )?;
        for line in spoken(own.fingerprint()).chunks(8) {
            writeln!(out, "  {}", line.join(" "))?;
        }
        writeln!(
            out,
            "\nnext: `transload serve`, and for each partner `transload partner sheet` (ours, to \
             him) and `transload partner add NAME --from FILE` (his, to us)"
        )?;
        Ok(Exit::Clean)
    }

    /// The settings file.
    fn settings(&self) -> String {
        // What JSON says in quotes, TOML reads the same.
        let text = |text: &str| json!(text).to_string();
        let url = match &self.url {
            Some(url) => format!("url = {}\n", text(url)),
            None => {
                "# url = \"https://edi.example.com/as2\"   # what partners post to, from outside\n"
                    .to_owned()
            }
        };
        let mut made = format!(
            "# Settings of this gateway; `transload help configuration` knows all of them.\n\n\
             [as2]\nid = {}\nlisten = {}\n{url}\n[admin]\nlisten = {}\n",
            text(&self.as2_id),
            text(&self.as2_listen),
            text(&self.admin_listen),
        );
        let fits = self.as2_id.len() <= ISA_ID;
        let id = self.x12_id.as_ref().or(fits.then_some(&self.as2_id));
        if let Some(id) = id {
            let (qualifier, id) = (text(&self.x12_qualifier), text(id));
            made.push_str(&format!("\n[x12]\nqualifier = {qualifier}\nid = {id}\n"));
        }
        made
    }
}
