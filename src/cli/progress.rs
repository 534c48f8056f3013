//! How far long work has come, on a terminal.

use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::words::say;

/// Work that is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(700);

/// Bytes read, of all that are to be read.
#[derive(Clone)]
pub(super) struct Progress {
    /// None where it would not be shown: making it takes longer than checking a small file.
    bar: Option<ProgressBar>,
    start: Instant,
}

impl Progress {
    /// Over these files. It shows nothing where stderr is no terminal, or a size is not known.
    pub(super) fn over(files: &[PathBuf]) -> Progress {
        let size = |file: &PathBuf| {
            let about = std::fs::metadata(file).ok()?;
            about.is_file().then_some(about.len())
        };
        let shown = io::stderr().is_terminal() && !super::manners().quiet;
        let total = || files.iter().map(size).sum::<Option<u64>>();
        let bar = shown.then(total).flatten().map(|total| {
            let style = ProgressStyle::with_template(say(
                "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
            ));
            ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden())
                .with_style(style.expect("the template is right"))
        });
        Progress {
            bar,
            start: Instant::now(),
        }
    }

    /// Counts what is read from `source`.
    pub(super) fn watch<R: Read>(&self, source: R) -> Watched<R> {
        Watched {
            source,
            progress: self.clone(),
        }
    }

    /// Writes while the bar is out of the way.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// See [`Progress::watch`].
pub(super) struct Watched<R> {
    source: R,
    progress: Progress,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        if let Some(bar) = &self.progress.bar {
            bar.inc(count as u64);
            if bar.is_hidden() && self.progress.start.elapsed() > PATIENCE {
                bar.set_draw_target(ProgressDrawTarget::stderr());
            }
        }
        Ok(count)
    }
}
