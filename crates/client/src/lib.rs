//! The SDK of an institution: sign learning outcomes, deposit them at a credit bank (学分银行), and prove what was
//! deposited.
//!
//! # The way of a record
//!
//! 1. [`InstitutionKeys`] are generated once; the bank's operator registers their public halves.
//! 2. [`Bank::connect`] opens connections. Each carries a short-lived token signed with the `authenticate` key; broken
//!    connections, full queues and outlived tokens are met by trying again.
//! 3. [`learners`] turns identity documents into learner codes. Only the code stands in a record.
//! 4. [`RecordMaker`] makes the bytes of a record. Id and salt are derived under the import secret, so that the same row
//!    makes the same record on every import, and nothing is ever deposited twice.
//! 5. [`batch::sign`] puts 1 to 1,024 records under one signature. The payload is committed to, not signed itself: the
//!    public log never learns what the learner did.
//! 6. [`submit::submit`] deposits one batch, [`submit::open`] a stream of them. Each row is decided alone: created,
//!    duplicate or refused.
//!    [`submit::submit_one`] is for what is done one at a time: steps of [`recognition`], and the public declarations
//!    that [`RecordMaker::proposal`] and [`RecordMaker::project_review`] make.
//! 7. [`receipt::Verifier`] checks the receipts with nothing but the bank's public key, and
//!    [`receipt::BundleWriter`] keeps them.
//!
//! Deposit an outcome and check its receipt:
//!
//! ```no_run
//! use std::sync::Arc;
//! use creditbank_client::receipt::{LogKeys, Verifier, bundle_of};
//! use creditbank_client::{Bank, InstitutionKeys, Options, RecordMaker, batch, learners, submit};
//! use creditbank_domain::LearnerCode;
//! use creditbank_wire::v1;
//!
//! # async fn deposit(key_file: &str, bank_pub: &str, outcome: v1::Outcome) -> Result<(), Box<dyn std::error::Error>> {
//! let keys = Arc::new(InstitutionKeys::parse(key_file)?);
//! let options = Options::new("http://127.0.0.1:7070", "bank.example/log");
//! let bank = Bank::connect(options, Some(keys.clone())).await?;
//!
//! let kind = v1::IdentityKind::StudentNumber as i32;
//! let identity = v1::Identity { kind, number: "2026001".into(), issuer: String::new() };
//! let request = v1::EnrolLearnerRequest { identity: Some(identity), name: "张三".into() };
//! let learner = LearnerCode::parse(&learners::enrol(&bank, request).await?.learner)?;
//!
//! let record = RecordMaker::new(&keys).outcome(b"2026001/CS101/2026-spring", learner, outcome);
//! let signed = batch::sign(bank.origin(), &keys, vec![record])?;
//! let answer = submit::submit(&bank, signed).await?;
//!
//! let mut verifier = Verifier::new(bank_pub.parse::<LogKeys>()?);
//! let verified = verifier.verify_acknowledgement(&answer.request, &answer.response)?;
//! print!("{}", verified.report);
//! let keep = bundle_of(&answer.request, &answer.response);
//! # let _ = keep; Ok(())
//! # }
//! ```
//!
//! # What it does not do
//!
//! It opens no file and reads no environment: keys, certificates and receipts come in and go out as bytes. It never
//! trusts an answer of the bank; equally it never decides for the bank what is admitted, and a row may be refused that
//! was well-formed here. It does not depend on the bank's own code beyond the formats.

pub mod audit;
pub mod batch;
pub mod connection;
mod declaration;
pub mod failure;
pub mod keys;
pub mod learners;
mod pipeline;
pub mod points;
pub mod receipt;
pub mod recognition;
pub mod reconciliation;
pub mod record;
pub mod retry;
pub mod statistics;
pub mod submit;
pub mod token;
pub mod trace;
pub mod transfer;

pub use connection::{Bank, Compression, Line, Options};
pub use failure::{ClientError, Refused};
pub use keys::InstitutionKeys;
pub use record::RecordMaker;
pub use retry::RetryPolicy;
pub use submit::Acknowledgement;
