//! `amazon connect` and `amazon doctor`, as a person runs them.
