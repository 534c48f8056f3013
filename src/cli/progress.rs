//! How far long work has come, on a terminal.

use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(700);

/// Bytes read, of all that are to be read.
#[derive(Clone)]
pub(super) struct Progress {
    bar: ProgressBar,
    start: Instant,
    shows: bool,
}

impl Progress {
    /// Over these files. It shows nothing where stderr is no terminal, or a size is not known.
    pub(super) fn over(files: &[PathBuf]) -> Progress {
        let size = |file: &PathBuf| {
            let about = std::fs::metadata(file).ok()?;
            about.is_file().then_some(about.len())
        };
        let total: Option<u64> = files.iter().map(size).sum();
        let style = ProgressStyle::with_template(
            "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
        );
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden())
            .with_style(style.expect("the template is right"));
        Progress {
            bar,
            start: Instant::now(),
            shows: io::stderr().is_terminal() && total.is_some() && !super::manners().quiet,
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
        self.bar.suspend(write)
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
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
        let progress = &mut self.progress;
        if progress.shows {
            progress.bar.inc(count as u64);
            if progress.bar.is_hidden() && progress.start.elapsed() > PATIENCE {
                progress.bar.set_draw_target(ProgressDrawTarget::stderr());
            }
        }
        Ok(count)
    }
}
