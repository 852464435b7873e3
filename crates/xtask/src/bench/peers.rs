//! PostgreSQL from Debian's package on the same rows, beside us: unique id, learner index, synchronous commit.
//!
//! A server of its own in a temporary folder, on a socket in that folder, ended when the bench ends. It checks no
//! signature and proves nothing; a row holds what an institution sends with a record (id, learner, envelope, salt,
//! payload).

mod server;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use creditbank_client::InstitutionKeys;
use creditbank_domain::{InstitutionId, LearnerCode};
use creditbank_wire::v1;
use prost::Message;
use tokio::task::JoinSet;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Statement};

use self::server::Postgres;
use crate::clock;
use crate::disk::PER_RECORD;
use crate::load::{self, Latency, Measured, Until, scatter};
use crate::options::Options;
use crate::records::{ROWS_PER_LEARNER, Rows};
use crate::report::{Entry, Report};

const SINGLE_CONNECTIONS: usize = 64;
const BULK_CONNECTIONS: usize = 4;
const ARCHIVE_CONNECTIONS: usize = 16;
/// Rows of one COPY.
const COPY_ROWS: usize = 1000;
/// Rows that are made ahead of the clock in one go.
const PART_ROWS: u64 = 100_000;

const TABLE: &str = "
    create table outcome (
        number bigint generated always as identity primary key,
        record_id bytea not null unique,
        learner bigint not null,
        envelope bytea not null,
        salt bytea not null,
        payload bytea not null
    );
    create index on outcome (learner, number desc);";
const INSERT: &str =
    "insert into outcome (record_id, learner, envelope, salt, payload) values ($1, $2, $3, $4, $5)";
const COPY: &str =
    "copy outcome (record_id, learner, envelope, salt, payload) from stdin (format binary)";
const ARCHIVE: &str = "select record_id, envelope, salt, payload from outcome where learner = $1 \
                       order by number desc limit 20";

/// A row as the table has it.
struct Row {
    record_id: Vec<u8>,
    learner: i64,
    record: v1::SignedRecord,
}

/// Runs the four comparisons.
pub(crate) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let postgres = Postgres::start()?;
    postgres.connect().await?.batch_execute(TABLE).await?;
    let bulk_rows: u64 = if options.quick { 100_000 } else { 1_000_000 };
    let rows = Arc::new(rows(bulk_rows)?);
    let bulk = bulk(&postgres, &rows, bulk_rows).await?;
    let bytes = bytes(&postgres).await? as f64 / bulk_rows as f64;
    let archive = archive(options, &postgres, &rows, bulk_rows).await?;
    let single = single(options, &postgres, &rows, bulk_rows).await?;
    compare(
        report,
        "peer_single",
        "submit_single",
        &single,
        "single-row commits on 64 connections",
    );
    compare(
        report,
        "peer_bulk",
        "submit_stream_1000",
        &bulk,
        "COPY of 1,000 rows a commit on 4 connections",
    );
    compare(
        report,
        "peer_archive",
        "archive_20",
        &archive,
        "20 rows of a learner on 16 connections",
    );
    report.add_limit(Entry::new("postgresql_disk", bytes, "bytes/row").note("table and indexes"));
    if let Some(ours) = report.value(PER_RECORD) {
        let entry = Entry::new("peer_disk", bytes, "bytes/row").against(PER_RECORD, Some(ours));
        report.add(
            entry
                .at_least(1.0)
                .note(&format!("{bulk_rows} rows; theirs by ours")),
        );
    }
    postgres.stop()
}

/// Adds theirs as a limit, and ours held against it.
fn compare(report: &mut Report, name: &str, ours: &str, theirs: &Measured, how: &str) {
    let limit = name.replace("peer", "postgresql");
    report.add_limit(Entry::of(&limit, theirs, "/s").note(how));
    if let Some(value) = report.value(ours) {
        let entry = Entry::new(name, value, "/s").against(&limit, Some(theirs.rate()));
        report.add(entry.at_least(1.0).note(&format!("our `{ours}`")));
    }
}

/// The rows of the bench, about learners whose codes are drawn here.
fn rows(count: u64) -> Result<Rows> {
    let learners = count.div_ceil(ROWS_PER_LEARNER) + 10_000;
    let code = |number| LearnerCode::from_random(1 + scatter(number) % (LearnerCode::NUMBERS - 1));
    let learners = (0..learners).map(code).collect::<Result<_, _>>()?;
    let keys = InstitutionKeys::from_seeds(
        InstitutionId::parse("bench-college")?,
        &[1; 32],
        &[2; 32],
        &[3; 32],
    );
    Rows::new("bench.example/log", &keys, learners)
}

fn row(rows: &Rows, number: u64) -> Row {
    let record = rows.record(number);
    let envelope = v1::Envelope::decode(record.envelope.clone()).expect("just encoded");
    let learner = rows.learner(rows.learner_of(number)).as_u64() as i64;
    Row {
        record_id: envelope.record_id.to_vec(),
        learner,
        record,
    }
}

/// COPY, with all rows of a part made before the clock starts.
async fn bulk(postgres: &Postgres, rows: &Arc<Rows>, count: u64) -> Result<Measured> {
    let mut clients = Vec::new();
    for _ in 0..BULK_CONNECTIONS {
        clients.push(Arc::new(postgres.connect().await?));
    }
    let (mut latency, mut elapsed) = (Latency::default(), Duration::ZERO);
    for first in (0..count).step_by(PART_ROWS as usize) {
        let part: Vec<Row> = (first..(first + PART_ROWS).min(count))
            .map(|number| row(rows, number))
            .collect();
        let part = Arc::new(part);
        let start = clock::now();
        let mut tasks = JoinSet::new();
        for (lane, client) in clients.iter().enumerate() {
            tasks.spawn(copy_lane(Arc::clone(client), Arc::clone(&part), lane));
        }
        while let Some(lane) = tasks.join_next().await {
            latency.merge(lane??);
        }
        elapsed += start.elapsed();
    }
    Ok(Measured {
        count,
        elapsed,
        latency: latency.sorted(),
        used: None,
    })
}

async fn copy_lane(client: Arc<Client>, part: Arc<Vec<Row>>, lane: usize) -> Result<Latency> {
    let mut latency = Latency::default();
    for rows in part.chunks(COPY_ROWS).skip(lane).step_by(BULK_CONNECTIONS) {
        let begun = clock::now();
        let sink = client.copy_in(COPY).await?;
        let types = [
            Type::BYTEA,
            Type::INT8,
            Type::BYTEA,
            Type::BYTEA,
            Type::BYTEA,
        ];
        let mut writer = Box::pin(BinaryCopyInWriter::new(sink, &types));
        for row in rows {
            let (envelope, salt, payload) = (
                &row.record.envelope[..],
                &row.record.salt[..],
                &row.record.payload[..],
            );
            writer
                .as_mut()
                .write(&[&row.record_id, &row.learner, &envelope, &salt, &payload])
                .await?;
        }
        let written = writer.as_mut().finish().await?;
        ensure!(written == rows.len() as u64, "{written} rows copied");
        latency.add(begun.elapsed());
    }
    Ok(latency)
}

async fn single(
    options: &Options,
    postgres: &Postgres,
    rows: &Arc<Rows>,
    from: u64,
) -> Result<Measured> {
    let count = if options.quick { 5_000 } else { 40_000 };
    let ready: Arc<Vec<Row>> = Arc::new(
        (from..from + count)
            .map(|number| row(rows, number))
            .collect(),
    );
    let lanes = prepare(postgres, SINGLE_CONNECTIONS, INSERT).await?;
    let call = move |number: u64| {
        let (ready, lanes) = (Arc::clone(&ready), Arc::clone(&lanes));
        async move {
            let row = &ready[number as usize];
            let (client, insert) = &lanes[number as usize % SINGLE_CONNECTIONS];
            let (envelope, salt, payload) = (
                &row.record.envelope[..],
                &row.record.salt[..],
                &row.record.payload[..],
            );
            client
                .execute(
                    insert,
                    &[&row.record_id, &row.learner, &envelope, &salt, &payload],
                )
                .await?;
            Ok(())
        }
    };
    load::calls(SINGLE_CONNECTIONS, Until::Count(count), call).await
}

async fn archive(
    options: &Options,
    postgres: &Postgres,
    rows: &Arc<Rows>,
    count: u64,
) -> Result<Measured> {
    let learners = rows.learners_with_all_rows(count) as u64;
    let lanes = prepare(postgres, ARCHIVE_CONNECTIONS, ARCHIVE).await?;
    let rows = Arc::clone(rows);
    let call = move |number: u64| {
        let lanes = Arc::clone(&lanes);
        let learner = rows.learner((scatter(number) % learners) as usize).as_u64() as i64;
        async move {
            let (client, select) = &lanes[number as usize % ARCHIVE_CONNECTIONS];
            let found = client.query(select, &[&learner]).await?.len() as u64;
            ensure!(found == ROWS_PER_LEARNER, "{found} rows of a learner");
            Ok(())
        }
    };
    load::calls(ARCHIVE_CONNECTIONS, Until::Passed(options.window()), call).await
}

/// Connections, each with its statement prepared.
async fn prepare(
    postgres: &Postgres,
    count: usize,
    sql: &str,
) -> Result<Arc<Vec<(Client, Statement)>>> {
    let mut lanes = Vec::new();
    for _ in 0..count {
        let client = postgres.connect().await?;
        let statement = client.prepare(sql).await?;
        lanes.push((client, statement));
    }
    Ok(Arc::new(lanes))
}

async fn bytes(postgres: &Postgres) -> Result<i64> {
    let client = postgres.connect().await?;
    client.batch_execute("checkpoint").await?;
    let row = client
        .query_one("select pg_total_relation_size('outcome')", &[])
        .await?;
    row.try_get(0).context("no size")
}
