//! CompressedData (RFC 3274): zlib inside a CMS frame.
//!
//! ```text
//! CompressedData = SEQ { version 0, SEQ { id-alg-zlib }, SEQ { id-data, [0] octets } }
//! ```

use std::io::{self, BufRead, Read, Write};

use flate2::Compression;
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::cms::ber::{Ber, Der};
use super::cms::{self, Algorithm, der, oid};
use super::error::Error;

/// Most bytes that compressed data may grow to, unless a profile says otherwise.
pub const INFLATED_BYTES: u64 = 512 * 1024 * 1024;

/// Most bytes out for one byte in: X12 gives 10 to 20, a bomb 1000.
pub const RATIO: u64 = 200;

/// The ratio counts from here on: small documents of blanks are innocent.
pub const RATIO_FROM: u64 = 10 * 1024 * 1024;

/// Enters the frame; [`Ber::octets`] with tag 04 gives the compressed octets next.
pub(crate) fn enter(ber: &mut Ber<'_>) -> Result<(), Error> {
    ber.enter(0x30)?;
    match Der::new(&ber.element()?).small()? {
        0 => {}
        version => return Err(Error::Cms(format!("CompressedData of version {version}"))),
    }
    let algorithm = ber.element()?;
    let algorithm = Algorithm::read(&mut Der::new(&algorithm))?;
    algorithm.plain()?;
    if algorithm.oid != oid::ZLIB {
        return Err(cms::unknown("compression", algorithm.oid));
    }
    cms::enter_data(ber)?;
    ber.enter(0xA0)
}

/// Leaves the frame.
pub(crate) fn leave(ber: &mut Ber<'_>) -> Result<(), Error> {
    ber.leave()?;
    ber.leave()?;
    ber.leave()
}

/// Inflates what is read through it, within the limits.
pub(crate) struct Inflate<R> {
    decoder: ZlibDecoder<R>,
    plain: Vec<u8>,
    at: usize,
    limit: u64,
}

impl<R: BufRead> Inflate<R> {
    pub(crate) fn new(source: R, limit: u64) -> Inflate<R> {
        Inflate {
            decoder: ZlibDecoder::new(source),
            plain: Vec::new(),
            at: 0,
            limit,
        }
    }

    /// Nothing may follow the compressed stream.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        match self.decoder.get_mut().fill_buf()?.is_empty() {
            true => Ok(()),
            false => Err(Error::Decompression(
                "bytes after the compressed data".into(),
            )),
        }
    }

    fn more(&mut self) -> Result<(), Error> {
        self.plain.resize(32 * 1024, 0);
        let length = self
            .decoder
            .read(&mut self.plain)
            .map_err(|error| match error.kind() {
                io::ErrorKind::InvalidInput
                | io::ErrorKind::InvalidData
                | io::ErrorKind::UnexpectedEof => Error::Decompression("no sound zlib data".into()),
                _ => Error::from(error),
            })?;
        self.plain.truncate(length);
        self.at = 0;
        let (from, to) = (self.decoder.total_in(), self.decoder.total_out());
        let large = to > self.limit || (to > RATIO_FROM && to / from.max(1) > RATIO);
        if large && !planted!("inflated-without-limit") {
            let problem = format!("{from} bytes grow to more than {to}, beyond the limit");
            return Err(Error::Decompression(problem));
        }
        Ok(())
    }
}

impl<R: BufRead> BufRead for Inflate<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.plain.len() {
            self.more().map_err(io::Error::other)?;
        }
        Ok(&self.plain[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

impl<R: BufRead> Read for Inflate<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        super::mime::read_from(self, out)
    }
}

/// Bytes of content that are compressed on trial.
pub(crate) const TRIAL: usize = 64 * 1024;

/// The level for content that begins so: 1, because compression, not cryptography, is the cost of
/// a large message; and none (stored blocks) where a trial saves less than a tenth.
pub(crate) fn level(beginning: &[u8]) -> Result<Compression, Error> {
    let trial = deflate(Compression::fast(), Count::default(), |deflating| {
        Ok(deflating.write_all(beginning)?)
    })?;
    match trial.0 >= beginning.len() as u64 / 10 * 9 && beginning.len() == TRIAL {
        true => Ok(Compression::none()),
        false => Ok(Compression::fast()),
    }
}

/// Deflates what `write` writes.
pub(crate) fn deflate<W: Write>(
    level: Compression,
    out: W,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
) -> Result<W, Error> {
    let mut encoder = ZlibEncoder::new(out, level);
    write(&mut encoder)?;
    Ok(encoder.finish()?)
}

/// Counts what is written into it, and keeps it while it is small.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) count: u64,
    kept: Vec<u8>,
}

/// Most compressed bytes that are kept, so that small messages are compressed once, not twice.
const HELD: u64 = 1024 * 1024;

impl Held {
    /// Everything, if it was small.
    pub(crate) fn whole(self) -> Option<Vec<u8>> {
        (self.count <= HELD).then_some(self.kept)
    }
}

impl Write for Held {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.count += data.len() as u64;
        match self.count <= HELD {
            true => self.kept.extend_from_slice(data),
            false => self.kept = Vec::new(),
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What stands before `length` compressed bytes to make them a CompressedData.
pub(crate) fn beginning(length: u64) -> Vec<u8> {
    let algorithm = der::element(0x30, &[&der::oid(oid::ZLIB)]);
    let before = [vec![0x02, 0x01, 0x00], algorithm].concat();
    der::beginning(
        &[
            (0x30, &der::oid(oid::COMPRESSED_DATA), 0),
            (0xA0, b"", 0),
            (0x30, &before, 0),
            (0x30, &der::oid(oid::DATA), 0),
            (0xA0, b"", 0),
            (0x04, b"", 0),
        ],
        length,
    )
}

/// Counts what is written into it.
#[derive(Default)]
struct Count(u64);

impl Write for Count {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0 += data.len() as u64;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inflate(compressed: &[u8], limit: u64) -> Result<u64, Error> {
        let mut inflate = Inflate::new(compressed, limit);
        let length = io::copy(&mut inflate, &mut io::sink())?;
        inflate.finish()?;
        Ok(length)
    }

    fn zeros(count: u64) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        io::copy(&mut io::repeat(0).take(count), &mut encoder).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_bomb_stops_at_the_ratio() {
        assert!(inflate(&zeros(RATIO_FROM), INFLATED_BYTES).is_ok());
        assert!(matches!(
            inflate(&zeros(RATIO_FROM * 4), INFLATED_BYTES),
            Err(Error::Decompression(_))
        ));
        assert!(matches!(
            inflate(&zeros(5000), 4999),
            Err(Error::Decompression(_))
        ));
    }

    #[test]
    fn what_does_not_compress_is_stored() {
        assert_eq!(level(&[b'~'; TRIAL]).unwrap(), Compression::fast());
        let mut random = 1u64;
        let mut noise = || {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
            (random >> 56) as u8
        };
        let noise: Vec<u8> = (0..TRIAL).map(|_| noise()).collect();
        assert_eq!(level(&noise).unwrap(), Compression::none());
        // A short payload is not worth the question.
        assert_eq!(level(&noise[..100]).unwrap(), Compression::fast());
    }

    #[test]
    fn cut_and_trailing_bytes_fail() {
        let sound = zeros(100);
        assert_eq!(inflate(&sound, 1000).unwrap(), 100);
        assert!(inflate(&sound[..sound.len() - 1], 1000).is_err());
        assert!(inflate(&[&sound[..], b"x"].concat(), 1000).is_err());
        assert!(inflate(b"not zlib", 1000).is_err());
    }
}
