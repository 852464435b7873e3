//! Deposits one outcome and verifies its receipt offline.
//!
//! ```text
//! cargo run -p creditbank-client --example deposit -- \
//!     http://127.0.0.1:7070 bank.example/log 'bank.example/log+1a2b3c4d+AX…' fudan.toml > receipt.txt
//! creditbank verify receipt.txt
//! ```
//!
//! The keys are made by `creditbank keygen` and registered by the bank's operator, who also gives the bank's public key.
//! Run twice, it deposits once: the second answer is the first receipt.

use std::error::Error;
use std::sync::Arc;

use creditbank_client::receipt::{BankKey, Verifier, bundle_of};
use creditbank_client::{Bank, InstitutionKeys, Options, RecordMaker, batch, learners, submit};
use creditbank_domain::LearnerCode;
use creditbank_domain::record::KeyPurpose;
use creditbank_wire::convert::record::public_key_message;
use creditbank_wire::v1;

const USAGE: &str = "usage: deposit URL ORIGIN BANK_KEY KEY_FILE [CA_PEM_FILE]";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, origin, bank_key, key_file, ca @ ..] = &args[..] else {
        return Err(USAGE.into());
    };
    let keys = Arc::new(InstitutionKeys::parse(&std::fs::read_to_string(key_file)?)?);
    let mut options = Options::new(url, origin);
    options.ca_pem = ca.first().map(std::fs::read).transpose()?;
    let bank = Bank::connect(options, Some(keys.clone())).await?;

    // The student number is the natural key of the person, and with course and term that of the row.
    let learner = enrol(&bank, "2026001", "张三").await?;
    let record = RecordMaker::new(&keys).outcome(b"2026001/CS101/2026-50", learner, outcome());
    let request = batch::sign(bank.origin(), &keys, vec![record])?;
    let answer = submit::submit(&bank, request).await?;
    if let Some(row) = answer.response.refused.first() {
        return Err(creditbank_client::failure::describe_row(row).into());
    }

    // From here on nothing asks the bank any more.
    let mut verifier = Verifier::new(bank_key.parse::<BankKey>()?);
    verifier.add_issuer(
        keys.institution().as_str(),
        &public_key_message(&keys.public(KeyPurpose::Sign)),
    )?;
    let verified = verifier.verify_acknowledgement(&answer.request, &answer.response)?;
    let record = verified.records.first().ok_or("the bank decided nothing")?;
    eprint!(
        "leaf {} of {origin}\n{}",
        record.leaf_index, verified.report
    );

    let bundle = bundle_of(&answer.request, &answer.response).ok_or("nothing was accepted")?;
    let receipt = verifier
        .extract(&bundle, record.record_id)?
        .ok_or("the record is in its bundle")?;
    print!("{}", receipt.encode());
    Ok(())
}

/// Opens an archive for a student of ours, or finds it.
async fn enrol(bank: &Bank, number: &str, name: &str) -> Result<LearnerCode, Box<dyn Error>> {
    let kind = v1::IdentityKind::StudentNumber as i32;
    let identity = v1::Identity {
        kind,
        number: number.into(),
        issuer: String::new(),
    };
    let request = v1::EnrolLearnerRequest {
        identity: Some(identity),
        name: name.into(),
    };
    Ok(LearnerCode::parse(
        &learners::enrol(bank, request).await?.learner,
    )?)
}

/// 程序设计, four credits, 92 of 100.
fn outcome() -> v1::Outcome {
    v1::Outcome {
        achievement: Some(v1::Achievement {
            code: "CS101".into(),
            name: "程序设计".into(),
        }),
        credits_hundredths: Some(400),
        grade: Some(v1::Grade {
            scheme: Some(v1::grade::Scheme::PercentageHundredths(9200)),
        }),
        completed_on: "2026-06-30".into(),
        detail: Some(v1::outcome::Detail::DegreeCourse(v1::DegreeCourse {
            form: 31,
            stage: 20,
            subject: "计算机科学与技术".into(),
            year: 2026,
            term: 50,
            result: 0,
        })),
        ..Default::default()
    }
}
