//! A key, and what OpenSSL needs to use it.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use openssl::md::{Md, MdRef};
use openssl::pkey::PKey;
use openssl::pkey_ctx::PkeyCtx;

use super::error::Error;
use super::mic::Digest;

/// A key with the contexts that were made for it and are free: as many as were used at once.
/// OpenSSL 3 goes through the names of all its algorithms for a new one, which is a twentieth of
/// opening a small message.
pub(crate) struct Key<T> {
    key: PKey<T>,
    free: Arc<Mutex<Vec<PkeyCtx<T>>>>,
}

impl<T> Key<T> {
    pub(crate) fn new(key: PKey<T>) -> Key<T> {
        Key {
            key,
            free: Arc::default(),
        }
    }

    /// Works with a context, which begins with an `…_init`: it may have done anything before.
    pub(crate) fn with<R>(
        &self,
        work: impl FnOnce(&mut PkeyCtx<T>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        // Whoever panicked had taken its context out.
        let free = || self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = free().pop();
        let mut context = match ready {
            Some(context) => context,
            None => PkeyCtx::new(&self.key)?,
        };
        let done = work(&mut context);
        free().push(context);
        done
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Key<T> {
        Key {
            key: self.key.clone(),
            free: Arc::clone(&self.free),
        }
    }
}

impl<T> Deref for Key<T> {
    type Target = PKey<T>;

    fn deref(&self) -> &PKey<T> {
        &self.key
    }
}

/// A digest as a context takes it.
pub(crate) fn md(digest: Digest) -> &'static MdRef {
    match digest {
        Digest::Md5 => Md::md5(),
        Digest::Sha1 => Md::sha1(),
        Digest::Sha256 => Md::sha256(),
        Digest::Sha384 => Md::sha384(),
        Digest::Sha512 => Md::sha512(),
    }
}
