//! TOML that says what it means: an unknown name is an error that shows the place and the name
//! that was meant.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::mapping::nearest;

/// What is wrong with a settings file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The file, as the caller called it.
    pub file: String,
    /// Its line, from 1, where one is to blame.
    pub line: Option<u32>,
    /// The column in characters, from 1.
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
    /// The known name that is nearest to an unknown one.
    pub nearest: Option<String>,
    /// The line itself and carets below the place.
    window: String,
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(nearest) = &self.nearest {
            write!(f, "; did you mean `{nearest}`?")?;
        }
        f.write_str(&self.window)
    }
}

impl Error {
    /// An error of the whole file.
    pub(crate) fn plain(file: &str, message: impl fmt::Display) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            column: None,
            message: message.to_string(),
            nearest: None,
            window: String::new(),
        }
    }

    /// An error of a section, shown at its header where there is one.
    pub(super) fn at_section(text: &str, file: &str, section: &str, message: String) -> Self {
        let header = format!("[{section}]");
        let at = text
            .lines()
            .find(|line| line.trim_start().starts_with(&header));
        let error = Self::plain(file, message);
        match at {
            Some(line) => {
                let start = line.as_ptr().addr() - text.as_ptr().addr();
                let start = start + line.len() - line.trim_start().len();
                error.with_place(text, start..start + header.len())
            }
            None => error,
        }
    }

    fn with_place(mut self, text: &str, span: std::ops::Range<usize>) -> Self {
        let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let line = text[start..].lines().next().unwrap_or_default();
        let number = text[..start].matches('\n').count() + 1;
        let before = text[start..span.start].chars().count();
        let end = span
            .end
            .clamp(span.start, (start + line.len()).max(span.start));
        let width = text[span.start..end].chars().count().max(1);
        let gutter = number.to_string().len();
        self.window = format!(
            "\n{empty:gutter$} |\n{number} | {line}\n{empty:gutter$} | {empty:before$}{carets}",
            empty = "",
            carets = "^".repeat(width),
        );
        (self.line, self.column) = (u32::try_from(number).ok(), u32::try_from(before + 1).ok());
        self
    }
}

/// Reads TOML into a type that denies unknown fields.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn strict<T: DeserializeOwned>(text: &str, file: &str) -> Result<T, Error> {
    toml::from_str(text).map_err(|why| {
        let mut error = Error::plain(file, why.message());
        error.nearest = meant(why.message());
        match why.span() {
            Some(span) => error.with_place(text, span),
            None => error,
        }
    })
}

/// The known name that serde's message about an unknown one is nearest to: "unknown field `x`,
/// expected one of `a`, `b`".
fn meant(message: &str) -> Option<String> {
    let named = message
        .strip_prefix("unknown field ")
        .or(message.strip_prefix("unknown variant "));
    let mut names = named?.split('`').skip(1).step_by(2);
    let unknown = names.next()?;
    nearest(unknown, names).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_stand_below_wide_lines() {
        let text = "a = 1\né = 2 # é\n";
        let error = Error::plain("f", "no").with_place(text, 6..8);
        assert_eq!(error.to_string(), "f:2:1: no\n  |\n2 | é = 2 # é\n  | ^");
    }
}
