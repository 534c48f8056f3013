//! `cert list` and its kin.
