//! `transload help`: of a command as `--help` tells it, or of a topic that belongs to no command.

use std::io::Write;

use super::words::{language, said, say};
use super::{Exit, Failure, Outcome, help};
use crate::lang::Language;
use crate::mapping::suggestion;
use crate::x12::{Value, text};

/// Topic, what it is about, its text in English and in Chinese.
type Topic = (&'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const TOPICS: &[Topic] = &[
    ("exit-codes", "what the program's exit code says",
        include_str!("help/exit-codes.txt"), include_str!("help/exit-codes.zh-CN.txt")),
    ("configuration", "where settings, partners and guides come from",
        include_str!("help/configuration.txt"), include_str!("help/configuration.zh-CN.txt")),
    ("guides", "the language of guides, in one page",
        include_str!("help/guides.txt"), include_str!("help/guides.zh-CN.txt")),
    ("findings", "what `check` tells, and where to read more",
        include_str!("help/findings.txt"), include_str!("help/findings.zh-CN.txt")),
];

/// Help on a command or a topic: exit-codes, configuration, guides, findings
#[derive(clap::Args)]
#[command(
    disable_version_flag = true,
    after_help = "Examples:
  transload help guides
  transload help mappings show"
)]
pub(super) struct Help {
    /// A topic, or a command as `mappings show`; none is all of them
    #[arg(value_name = "TOPIC")]
    words: Vec<String>,
}

impl Help {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        if let [word] = words[..]
            && let Some((.., english, chinese)) = TOPICS.iter().find(|(name, ..)| *name == word)
        {
            let text = match language() {
                Language::English => english,
                Language::Chinese => chinese,
            };
            write!(out, "{text}")?;
            return Ok(Exit::Clean);
        }
        let mut command = help::command();
        let mut path = "transload".to_owned();
        for word in &words {
            let mut names: Vec<String> = command
                .get_subcommands()
                .map(|sub| sub.get_name().to_owned())
                .collect();
            if path == "transload" {
                names.extend(TOPICS.iter().map(|(name, ..)| (*name).to_owned()));
            }
            let Some(found) = command.find_subcommand(word) else {
                let known: Vec<&str> = names.iter().map(String::as_str).collect();
                let topics: Vec<&str> = TOPICS.iter().map(|(name, ..)| *name).collect();
                return Err(Failure::usage(said(&text!(
                    "{word} is neither a command nor a topic{near} (topics: {topics})",
                    word = *word,
                    near = suggestion(word, &known),
                    topics = topics.join(", ")
                ))));
            };
            path = format!("{path} {word}");
            command = found.clone();
        }
        write!(out, "{}", command.bin_name(path).render_long_help())?;
        if words.is_empty() {
            writeln!(out, "\n{}", say("Topics:"))?;
            for (name, about, ..) in TOPICS {
                let line = text!(
                    "transload help {name}: {about}",
                    name = *name,
                    about = Value::word(about)
                );
                writeln!(out, "  {}", said(&line))?;
            }
        }
        Ok(Exit::Clean)
    }
}
