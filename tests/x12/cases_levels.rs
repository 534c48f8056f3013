//! Cases about levels: 856 and its HL tree.

// x12_case_052_ x12_case_053_ x12_case_054_ x12_case_077_ x12_case_078_ x12_case_079_
