//! Every request that we send, shown to a mock of the published models.
