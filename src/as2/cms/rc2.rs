//! RC2 in CBC mode (RFC 2268, RFC 3370 §5.2), read from legacy partners only.
//!
//! OpenSSL 3 keeps it in its `legacy` provider, which is not everywhere. It is loaded into a
//! library context of its own, so that nothing else in the process can reach for it.

use std::sync::LazyLock;

use openssl::cipher::Cipher;
use openssl::lib_ctx::LibCtx;
use openssl::provider::Provider;

use crate::as2::error::Error;

struct Legacy {
    context: LibCtx,
    _provider: Provider,
}

static LEGACY: LazyLock<Option<Legacy>> = LazyLock::new(|| {
    let context = LibCtx::new().ok()?;
    let provider = Provider::load(Some(&context), "legacy").ok()?;
    Some(Legacy {
        context,
        _provider: provider,
    })
});

/// The effective key length that RC2ParameterVersion stands for (RFC 2268 §6).
pub(super) fn bits(version: u16) -> Option<usize> {
    match version {
        160 => Some(40),
        120 => Some(64),
        58 => Some(128),
        _ => None,
    }
}

/// OpenSSL's RC2 in CBC mode.
///
/// # Errors
/// `Unsupported` where this OpenSSL has no `legacy` provider.
pub(super) fn openssl(bits: usize) -> Result<Cipher, Error> {
    let name = match bits {
        40 => "RC2-40-CBC",
        64 => "RC2-64-CBC",
        _ => "RC2-CBC",
    };
    let fetched = LEGACY
        .as_ref()
        .and_then(|legacy| Cipher::fetch(Some(&legacy.context), name, None).ok());
    fetched.ok_or_else(|| {
        Error::Unsupported("RC2: the OpenSSL of this program has no legacy provider".into())
    })
}
