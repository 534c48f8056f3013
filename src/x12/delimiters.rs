//! The bytes that separate: found in ISA when reading, chosen when writing.
//!
//! | role | where in a 106-byte ISA | usual |
//! |---|---|---|
//! | element | byte 4 | `*` |
//! | repetition | ISA11, a separator only when ISA12 is 00402 or later | `^` |
//! | component | ISA16 | `>` or `:` |
//! | segment | the byte after ISA16 | `~` |

/// What follows a segment terminator. Not data: kept so that a file is written as it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineBreak {
    /// Nothing: the whole interchange is one line.
    #[default]
    None,
    /// LF.
    Lf,
    /// CR LF.
    CrLf,
}

impl LineBreak {
    /// The bytes written after each terminator.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            LineBreak::None => b"",
            LineBreak::Lf => b"\n",
            LineBreak::CrLf => b"\r\n",
        }
    }
}

/// The separators of one interchange. They may differ between interchanges of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delimiters {
    /// Between elements.
    pub element: u8,
    /// Between components of a composite (ISA16).
    pub component: u8,
    /// Between repetitions of an element (ISA11); `None` before release 00402.
    pub repetition: Option<u8>,
    /// Ends a segment.
    pub segment: u8,
    /// What is written after `segment`.
    pub line_break: LineBreak,
}

impl Default for Delimiters {
    /// `*`, `>`, no repetition, `~`, one segment a line: what 004010 sets mostly use.
    fn default() -> Delimiters {
        Delimiters {
            element: b'*',
            component: b'>',
            repetition: None,
            segment: b'~',
            line_break: LineBreak::Lf,
        }
    }
}

impl Delimiters {
    /// Whether data holding `byte` could not be written: X12 has no escape before release 007040.
    ///
    /// ```
    /// use transload::x12::Delimiters;
    /// assert!(Delimiters::default().clashes(b'*'));
    /// assert!(!Delimiters::default().clashes(b'^'));
    /// ```
    pub fn clashes(&self, byte: u8) -> bool {
        byte == self.element
            || byte == self.component
            || byte == self.segment
            || Some(byte) == self.repetition
    }

    /// Whether a file with these separators can be read: no byte has two roles, and none is a
    /// letter, a digit or a blank. Only the terminator may be a line break.
    pub fn are_usable(&self) -> bool {
        let roles = [Some(self.element), Some(self.component), self.repetition];
        let line_break = |b: u8| matches!(b, b'\r' | b'\n');
        let blank = |b: u8| matches!(b, b' ' | b'\t' | 0 | 0x1A);
        let sound = |b: u8| !b.is_ascii_alphanumeric() && !blank(b);
        let twice = |i: usize| roles[i].is_some() && roles[..i].contains(&roles[i]);
        let alone = |b: u8| sound(b) && !line_break(b) && b != self.segment;
        sound(self.segment) && roles.iter().flatten().all(|&b| alone(b)) && !(0..3).any(twice)
    }
}
