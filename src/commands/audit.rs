//! `creditbank audit`: the view of a third party on several banks, from their public logs alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use creditbank_client::audit::{Audit as Audited, Finding, LogAudit, PeriodView, compare};
use creditbank_client::receipt::LogKeys;
use creditbank_merkle::{Checkpoint, TreeSize};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::connection::{block_on, read, read_log_keys};
use crate::mirror::{BUNDLE, PublicLog};
use crate::print::{self, Language};

/// Audit several banks from outside: read their public logs, and hold them and their signed statements against each other.
#[derive(clap::Args)]
#[command(after_help = "\
监管方或枢纽的第三方核对：只读各行的公开账本（C2SP tlog-tiles）与签署的对账单，逐条核对签名、树根、见证签名、
对账单、关闭、结转与悬账。不需要任何一方的许可或密钥。
Every leaf is hashed and every batch signature verified; every statement is folded again. What peers have
cosigned of a log must be in it, statements of both banks of a pair must be the same or their
difference named, and a closing must name the statement that stands in the other's log.

Example:
  creditbank audit --bank https://sh.example --bank https://js.example \\
    --trust sh.pub --trust js.pub --ca ca.pem --json

Exit code 0: all holds, and every stated month is agreed, or was cleared by a later one; 1: something
does not hold, or a difference is open; 2: wrong usage; 3: a bank could not be reached.")]
pub(crate) struct Audit {
    /// URL of a bank's public log, such as http://127.0.0.1:7301; once for each bank.
    #[arg(long = "bank", value_name = "URL", required = true)]
    banks: Vec<String>,
    /// Public keys of a bank's log (its bank.pub), got over another channel; once for each bank.
    #[arg(long, value_name = "FILE", required = true)]
    trust: Vec<PathBuf>,
    /// Certificate authority that vouches for https addresses, as PEM.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The language of what is printed.
    #[arg(long, value_enum, default_value = "zh")]
    language: Language,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Say nothing while reading.
    #[arg(long)]
    quiet: bool,
}

/// A bank while it is read.
struct Bank {
    log: PublicLog,
    keys: LogKeys,
}

impl Audit {
    pub(crate) fn run(self) -> Result<ExitCode> {
        block_on(async {
            let banks = self.banks().await?;
            let mut logs = Vec::new();
            for bank in &banks {
                logs.push(self.log(bank, &banks).await?);
            }
            let audited = compare(logs);
            self.told(&audited);
            let is_closed = |it: &PeriodView| {
                let mut open = it.open.iter().flatten();
                it.is_agreed && open.all(|(differences, _)| *differences == 0)
            };
            let mut periods = audited.periods.iter();
            let is_well =
                audited.findings.is_empty() && periods.all(|it| it.is_cleared || is_closed(it));
            Ok(ExitCode::from(u8::from(!is_well)))
        })
    }

    /// Every bank with the key that its checkpoints must be signed with.
    async fn banks(&self) -> Result<Vec<Bank>> {
        let keys = self.trust.iter().map(|path| read_log_keys(path));
        let keys = keys.collect::<Result<Vec<_>>>()?;
        let ca = self.ca.as_deref().map(read).transpose()?;
        let mut banks = Vec::new();
        let mut origins = BTreeSet::new();
        for url in &self.banks {
            let log = PublicLog::open(url, ca.as_deref())?;
            let checkpoint = log.checkpoint().await?;
            let origin = checkpoint.lines().next().unwrap_or_default().to_owned();
            let key = keys.iter().find(|key| key.name() == origin);
            let key = key.with_context(|| {
                format!("{url} shows the log {origin:?}, for which no --trust FILE is given")
            })?;
            ensure!(
                origins.insert(origin.clone()),
                "{url}: {origin} is named twice"
            );
            let keys = key.clone();
            banks.push(Bank { log, keys });
        }
        Ok(banks)
    }

    /// Reads one log to the end and what the others have cosigned of it.
    async fn log(&self, bank: &Bank, all: &[Bank]) -> Result<LogAudit> {
        let origin = bank.keys.name();
        let mut cosigned = BTreeMap::new();
        let mut evidence = Vec::new();
        for other in all.iter().filter(|it| it.keys.name() != origin) {
            let by = other.keys.name().to_owned();
            if let Some(note) = other.text(&format!("cosigned?origin={origin}")).await? {
                cosigned.insert(by.clone(), note);
            }
            if other
                .text(&format!("evidence?origin={origin}"))
                .await?
                .is_some()
            {
                evidence.push(by);
            }
        }
        let sizes = cosigned.values().filter_map(|note| size(note));
        let mut log = LogAudit::new(origin, sizes);
        // Asked for after what others have cosigned, so that an honest log is never shorter than that.
        let checkpoint = bank.log.checkpoint().await?;
        let end = size(&checkpoint).unwrap_or(0);
        let bar = self.bar(origin, end);
        while log.size() < end {
            let at = log.size();
            let width = (end - at).min(BUNDLE);
            for leaf in bank.log.entries(at / BUNDLE, width).await? {
                log.take(&leaf);
            }
            ensure!(log.size() > at, "{}: leaf {at} is not served", bank.log);
            bar.set_position(log.size());
        }
        bar.finish_and_clear();
        log.close(&checkpoint, &bank.keys);
        for (by, note) in &cosigned {
            log.cosigned(by, note, &bank.keys);
        }
        for by in evidence {
            log.find(None, "FORK_SHOWN", &by);
        }
        Ok(log)
    }

    fn bar(&self, origin: &str, end: u64) -> ProgressBar {
        if self.quiet {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{msg} {pos}/{len} leaves {bar:30} {eta}");
        let bar = ProgressBar::new(end).with_message(origin.to_owned());
        bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    }

    fn told(&self, audited: &Audited) {
        if self.json {
            return print::json(&json_of(audited));
        }
        let say = |zh: &str, en: &str| self.language.say(zh.to_owned(), en.to_owned());
        let rows: Vec<_> = audited
            .logs
            .iter()
            .map(|(origin, (leaves, steps))| {
                [origin.clone(), leaves.to_string(), steps.to_string()]
            })
            .collect();
        let header = [
            say("账本", "log"),
            say("条目", "leaves"),
            say("转移步骤", "steps"),
        ];
        print::table(header.each_ref().map(String::as_str), &rows);
        print::out("");
        let header = [
            say("对账期", "period"),
            say("双方", "banks"),
            say("一致", "agreed"),
            say("笔数", "items"),
            say("结转", "settled"),
            say("冲正", "reversed"),
            say("未平差异（悬账）", "open (suspense)"),
        ];
        let rows: Vec<_> = audited.periods.iter().map(|it| self.row(it)).collect();
        print::table(header.each_ref().map(String::as_str), &rows);
        print::out("");
        if audited.findings.is_empty() {
            print::out(&say("未发现不符。", "Nothing was found wrong."));
        }
        for finding in &audited.findings {
            let (zh, en) = words(finding.code);
            let leaf = finding.leaf.map(|leaf| format!(" leaf {leaf}"));
            print::out(&format!(
                "{} {}{}: {} {}",
                finding.code,
                finding.origin,
                leaf.unwrap_or_default(),
                self.language.say(zh.to_owned(), en.to_owned()),
                finding.about
            ));
        }
    }

    fn row(&self, it: &PeriodView) -> [String; 7] {
        let both = |amounts: [u64; 2]| {
            let [forth, back] = amounts.map(print::hundredths);
            format!("{forth} → / ← {back}")
        };
        let open = it.open.iter().map(|open| match open {
            None => "-".to_owned(),
            Some((differences, suspense)) => {
                format!("{differences} ({})", print::hundredths(*suspense))
            }
        });
        [
            it.period.to_string(),
            it.origins.join(" ↔ "),
            match (it.is_agreed, it.is_cleared) {
                (true, _) => self.language.say("是".into(), "yes".into()),
                (false, true) => self
                    .language
                    .say("否，已核销".into(), "no, cleared since".into()),
                (false, false) => self.language.say("否".into(), "no".into()),
            },
            it.items.to_string(),
            both(it.settled),
            both(it.reversed),
            open.collect::<Vec<_>>().join(" / "),
        ]
    }
}

impl Bank {
    /// A text, if it is there.
    async fn text(&self, path: &str) -> Result<Option<String>> {
        let bytes = self.log.read(path).await?;
        let text = bytes.map(String::from_utf8).transpose();
        text.with_context(|| format!("{}/{path} is no text", self.log))
    }
}

fn size(note: &str) -> Option<u64> {
    let end = note.find("\n\n")?;
    let checkpoint = Checkpoint::parse(&note[..=end]).ok()?;
    Some(TreeSize::value(checkpoint.size))
}

fn json_of(audited: &Audited) -> Value {
    let finding = |it: &Finding| {
        let (zh, en) = words(it.code);
        json!({
            "origin": it.origin, "leaf": it.leaf, "code": it.code, "about": it.about,
            "message_zh": zh, "message_en": en,
        })
    };
    let period = |it: &PeriodView| {
        json!({
            "period": it.period.to_string(),
            "origins": it.origins,
            "agreed": it.is_agreed,
            "cleared": it.is_cleared,
            "items": it.items,
            "settled": it.settled.map(print::hundredths),
            "reversed": it.reversed.map(print::hundredths),
            "differences": it.open.map(|open| open.map(|(differences, _)| differences)),
            "suspense": it.open.map(|open| open.map(|(_, suspense)| print::hundredths(suspense))),
        })
    };
    let log = |(origin, (leaves, steps)): (&String, &(u64, u64))| json!({ "origin": origin, "leaves": leaves, "steps": steps });
    json!({
        "logs": audited.logs.iter().map(log).collect::<Vec<_>>(),
        "periods": audited.periods.iter().map(period).collect::<Vec<_>>(),
        "findings": audited.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

/// What a code means, in Chinese and in English.
fn words(code: &str) -> (&'static str, &'static str) {
    match code {
        "CHECKPOINT_INVALID" => (
            "检查点没有该行的有效签名",
            "the checkpoint is not signed by this bank",
        ),
        "LEAVES_MISSING" => (
            "条目少于检查点所述",
            "there are fewer leaves than the checkpoint says",
        ),
        "ROOT_DIFFERS" => (
            "条目得不出检查点的树根",
            "the leaves do not give the root of the checkpoint",
        ),
        "COSIGNED_INVALID" => (
            "对方所示的见证检查点无效",
            "what another bank shows as cosigned is not of this log",
        ),
        "FORKED" => (
            "对方曾为另一份历史出具见证签名",
            "another bank has cosigned another history",
        ),
        "SHORTER_THAN_COSIGNED" => (
            "账本短于对方见证过的长度",
            "the log is shorter than another bank has cosigned",
        ),
        "FORK_SHOWN" => (
            "对方保存有分叉的证据",
            "another bank keeps evidence of a fork",
        ),
        "LEAF_MALFORMED" => ("条目格式不对", "a leaf is not of the form"),
        "TIME_RUNS_BACK" => (
            "存入时间早于前一条目",
            "deposited before the leaf in front of it",
        ),
        "KIND_UNKNOWN" => ("记录种类未知", "a record of an unknown kind"),
        "STATEMENT_MALFORMED" => ("声明格式不对", "a statement is not of the form"),
        "STATEMENT_REFUSED" => (
            "声明与此前的声明矛盾",
            "a statement contradicts those before it",
        ),
        "ORIGIN_FOREIGN" => ("账本名称不符", "the log has another name"),
        "SIGNATURE_INVALID" => ("批次签名无效", "the signature of a batch does not hold"),
        "KEY_UNKNOWN" => ("签名密钥未登记", "the signing key was never registered"),
        "KEY_NOT_VALID" => ("签名密钥当时无效", "the signing key was not valid there"),
        "STEPS_MISSING" => (
            "对账单所述步骤多于账本条目",
            "statements count more steps than the log has entries",
        ),
        "PERIOD_NOT_STATED" => (
            "对方已出对账单，本行没有",
            "the other bank has stated this period, this one has not",
        ),
        "STATEMENTS_DIFFER" => ("双方对账单不一致", "the two banks state different things"),
        "CLOSED_ON_ANOTHER_STATEMENT" => (
            "关闭所依据的不是对方账本中的对账单",
            "closed on another statement than stands in the other's log",
        ),
        "DIFFERENCE_NOT_NAMED" => (
            "对账单不一致却未列明差异",
            "statements differ and no difference is named",
        ),
        _ => ("不符", "does not hold"),
    }
}
