//! Every decoder of foreign bytes that needs no bank: what comes over the wire, out of another bank, or in a file.
//!
//! A decoder may refuse anything and must panic at nothing. What it takes and can write again must come back the same.
//! `tests/it/fuzz.rs` runs them on the kept corpus and on mutations of it, libFuzzer (`tests/fuzz/src/main.rs`) for as long
//! as one likes.

use std::str::FromStr;

use creditbank_client::InstitutionKeys;
use creditbank_client::audit::LogAudit;
use creditbank_client::receipt::{BundleReader, Verifier, follow, receipt_from_text};
use creditbank_domain::access::{LearnerCodeToken, PrintedSecret};
use creditbank_domain::identifier::{
    HongKongMacaoPermit, InstitutionId, LearnerCode, OccupationCode, Passport, PermanentResidentId,
    RecordId, RegionCode, ResidencePermit, ResidentId, SchoolCode, SkillCertificateNumber,
    TaiwanPermit, UnifiedSocialCreditCode,
};
use creditbank_domain::reconcile::Period;
use creditbank_domain::statistics::{Cell, Yearbook};
use creditbank_domain::transfer::TransferId;
use creditbank_domain::{Credit, Hours};
use creditbank_merkle::tile::decode_entries;
use creditbank_merkle::{
    AddCheckpoint, Checkpoint, CosignerKey, Hash, LogKeys, Note, Resource, TlogProof, VerifierKey,
};
use creditbank_rulebook::Source;
use creditbank_wire::convert::{
    catalogue, leaf, outcome, reconciliation, record, statistics, transfer,
};
use creditbank_wire::{Message, v1};
use jiff::civil::{Date, date};

/// Takes any bytes.
pub(crate) type Decoder = fn(&[u8]);

/// All of them by name; `corpus/NAME` keeps inputs of each.
pub(crate) const DECODERS: [(&str, Decoder); 18] = [
    ("note", note),
    ("proof", proof),
    ("witness", witness),
    ("tiles", tiles),
    ("keys", keys),
    ("log-keys", log_keys),
    ("envelope", envelope),
    ("payload", payload),
    ("leaf", a_leaf),
    ("transfer", a_transfer),
    ("period", a_period),
    ("catalogue", a_catalogue),
    ("statistics", a_yearbook),
    ("receipt", receipt),
    ("bundles", bundles),
    ("audit", audit),
    ("rules", rules),
    ("identifiers", identifiers),
];

/// The key of the log that signed the notes of the corpus.
const LOG_KEY: &str = include_str!("corpus/bank.pub");
/// A day of admission.
const TODAY: Date = date(2026, 1, 1);

/// What a decoder made of its bytes does not matter.
fn taken<T>(_: T) {}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

fn log_key() -> Option<VerifierKey> {
    LOG_KEY.trim().parse().ok()
}

fn note(bytes: &[u8]) {
    let text = text(bytes);
    if let (Ok(note), Some(key)) = (Note::parse(text), log_key()) {
        taken(note.verify(&key));
        taken(Checkpoint::open(text, &key));
    }
    taken(Checkpoint::parse(text));
}

fn proof(bytes: &[u8]) {
    if let Ok(proof) = TlogProof::parse(text(bytes)) {
        assert_eq!(TlogProof::parse(&proof.encode()).as_ref(), Ok(&proof));
        if let Some(key) = log_key() {
            taken(proof.verify(b"leaf", &key));
        }
    }
}

fn witness(bytes: &[u8]) {
    if let Ok(request) = AddCheckpoint::parse(text(bytes)) {
        let again = AddCheckpoint::parse(&request.encode());
        assert!(again.is_ok_and(|again| again.encode() == request.encode()));
    }
}

fn tiles(bytes: &[u8]) {
    taken(decode_entries(bytes));
    if let Ok(resource) = Resource::from_str(text(bytes)) {
        assert_eq!(resource.to_string(), text(bytes));
    }
}

fn keys(bytes: &[u8]) {
    let text = text(bytes);
    taken(InstitutionKeys::parse(text));
    taken(VerifierKey::from_str(text));
    taken(CosignerKey::from_str(text));
    taken(Hash::from_str(text));
}

fn log_keys(bytes: &[u8]) {
    let Ok(shown) = LogKeys::from_str(text(bytes)) else {
        return;
    };
    assert_eq!(shown.to_string().parse().as_ref(), Ok(&shown));
    if let Some(key) = log_key() {
        taken(follow(&key.into(), &shown));
    }
    // Whoever has taken over a list before is shown a longer one.
    if let Some(oldest) = shown.all().last() {
        let known = LogKeys::new(vec![oldest.clone()]);
        taken(known.map(|known| follow(&known, &shown)));
    }
}

fn envelope(bytes: &[u8]) {
    taken(record::envelope(bytes, "fudan"));
    taken(record::envelope(bytes, "bank"));
    let stated = v1::Statement::decode(bytes);
    taken(stated.map(record::statement));
}

fn payload(bytes: &[u8]) {
    taken(record::payload(bytes, TODAY));
    let decoded = v1::Outcome::decode(bytes).map(|message| outcome::parse(message, TODAY));
    if let Ok(Ok(taken)) = decoded {
        let again = outcome::parse(outcome::to_message(&taken), TODAY);
        assert_eq!(again.as_ref(), Ok(&taken));
    }
}

fn a_leaf(bytes: &[u8]) {
    if let Ok(message) = leaf::decode(bytes) {
        assert_eq!(message.encode_to_vec(), bytes);
    }
}

fn a_transfer(bytes: &[u8]) {
    taken(transfer::entry(bytes));
    taken(v1::Consent::decode(bytes).map(transfer::consent));
    taken(v1::TransferRequest::decode(bytes).map(transfer::request));
    taken(v1::Transferred::decode(bytes).map(transfer::transferred));
}

fn a_period(bytes: &[u8]) {
    taken(v1::PeriodStated::decode(bytes).map(|it| reconciliation::period_statement(&it)));
    taken(v1::PeriodClosed::decode(bytes).map(|it| reconciliation::closed(&it)));
    taken(v1::PeriodItem::decode(bytes).map(|it| reconciliation::item(&it)));
    taken(v1::IdRange::decode(bytes).map(|it| reconciliation::range(&it)));
    taken(v1::RangeSummary::decode(bytes).map(|it| reconciliation::summary(&it)));
    taken(v1::ItemList::decode(bytes).map(|it| reconciliation::leaves(&it)));
}

fn a_catalogue(bytes: &[u8]) {
    taken(v1::ProjectProposed::decode(bytes).map(|it| catalogue::proposal(&it)));
    taken(catalogue::date(text(bytes)));
}

fn a_yearbook(bytes: &[u8]) {
    if let Some(yearbook) = Yearbook::decode(bytes) {
        assert_eq!(yearbook.encode(), bytes);
        for row in &yearbook.rows {
            assert_eq!(Cell::decode(&row.cell.encode()), Some(row.cell));
            let learners = row.amounts[0].unwrap_or_default();
            taken(yearbook.population.rate(row.cell.a, learners));
        }
    }
    taken(v1::Yearbook::decode(bytes).map(|it| statistics::yearbook(&it)));
    taken(v1::Population::decode(bytes).map(statistics::population));
    taken(v1::Figures::decode(bytes).map(|it| statistics::cells(2026, &it.rows)));
}

fn receipt(bytes: &[u8]) {
    let (Ok(receipt), Some(key)) = (receipt_from_text(text(bytes)), log_key()) else {
        return;
    };
    taken(Verifier::new(key).verify_receipt(&receipt, None));
}

fn bundles(bytes: &[u8]) {
    let Some(key) = log_key() else { return };
    let mut verifier = Verifier::new(key);
    for bundle in BundleReader::new(bytes) {
        let Ok(bundle) = bundle else { return };
        taken(verifier.verify_bundle(&bundle));
    }
}

fn audit(bytes: &[u8]) {
    let mut audit = LogAudit::new("bank.test/log", []);
    audit.take(bytes);
    if let Some(key) = log_key() {
        audit.close(text(bytes), &key.into());
    }
}

fn rules(bytes: &[u8]) {
    let Ok(source) = Source::from_file("rules.toml", bytes) else {
        return;
    };
    if let Ok(set) = creditbank_rulebook::read(vec![source]) {
        taken(creditbank_rulebook::check(&set, &[]));
    }
}

fn identifiers(bytes: &[u8]) {
    taken(LearnerCodeToken::from_bytes(bytes));
    let text = text(bytes);
    taken(PrintedSecret::parse(text));
    taken(InstitutionId::parse(text));
    taken(LearnerCode::parse(text));
    taken(RecordId::parse(text));
    taken(TransferId::parse(text));
    taken(Period::parse(text));
    taken(Credit::parse(text));
    taken(Hours::parse(text));
    taken(ResidentId::parse(text));
    taken(RegionCode::parse_at(text, TODAY));
    taken(SchoolCode::parse(text));
    taken(UnifiedSocialCreditCode::parse(text));
    taken(SkillCertificateNumber::parse(text));
    taken(OccupationCode::parse(text));
    taken(HongKongMacaoPermit::parse(text));
    taken(TaiwanPermit::parse(text));
    taken(ResidencePermit::parse(text));
    taken(PermanentResidentId::parse(text));
    taken(Passport::parse("GBR", text));
}
