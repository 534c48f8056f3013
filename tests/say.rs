//! How tests say what they skipped, counted or covered.

/// Prints a line that is seen also when the test passes: what was skipped, counted, covered.
/// The usual macros are captured; a run that says nothing would hide a skipped test.
macro_rules! say {
    ($($part:tt)*) => {{
        use std::io::Write as _;
        let line = format!($($part)*);
        let _ = writeln!(std::io::stderr(), "{line}");
    }};
}
