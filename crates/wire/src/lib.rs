//! The wire: generated messages and services, their conversion to domain types, and the one map from a refusal to
//! gRPC status, HTTP status and texts. No logic.

/// Package `creditbank.v1`, generated from `proto/`. The proto files are its documentation.
pub mod v1 {
    #![allow(missing_docs, clippy::all, clippy::float_arithmetic, unreachable_pub)]
    tonic::include_proto!("creditbank.v1");
}

pub mod convert;
pub mod status;

/// Encoding and decoding of the messages.
pub use prost::Message;

/// Descriptors of all services, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
