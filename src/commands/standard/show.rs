//! Printing projects.

use anyhow::{Result, bail};
use creditbank_client::{Bank, Line};
use creditbank_wire::v1;
use serde_json::{Value, json};

use crate::print;

/// Most projects a page.
const PAGE: u32 = 1_000;

/// Prints all of them.
pub(super) async fn list(
    bank: &Bank,
    institution: &str,
    states: &[String],
    json: bool,
) -> Result<()> {
    let mut request = v1::ListProjectsRequest {
        institution: institution.to_owned(),
        states: states.iter().map(state).collect::<Result<_>>()?,
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut projects = Vec::new();
    loop {
        let send = |line: Line, it| async move { line.rules().list_projects(it).await };
        let page = bank.call(request.clone(), send).await?;
        projects.extend(page.projects);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    if json {
        print::json(&projects.iter().map(to_json).collect());
        return Ok(());
    }
    let row = |it: &v1::Project| {
        let proposal = it.proposal.clone().unwrap_or_default();
        [
            proposal.institution,
            proposal.project,
            proposal.title,
            print::category(proposal.category),
            format!("{} {}", proposal.standard, proposal.standard_version),
            labelled(it.state()),
            format!("{}/{}", it.approvals.len(), it.panel),
        ]
    };
    print::table(
        [
            "institution",
            "project",
            "title",
            "category",
            "standard",
            "state",
            "approvals",
        ],
        &projects.iter().map(row).collect::<Vec<_>>(),
    );
    Ok(())
}

/// Prints one.
pub(super) fn show(project: &v1::Project, json: bool) {
    if json {
        return print::json(&to_json(project));
    }
    let proposal = project.proposal.clone().unwrap_or_default();
    let decided = match project.state() {
        v1::ProjectState::Proposed => String::new(),
        _ => format!("leaf {}", project.decided_at),
    };
    for (name, text) in [
        ("institution", proposal.institution.clone()),
        ("project", proposal.project.clone()),
        ("title", proposal.title.clone()),
        ("category", print::category(proposal.category)),
        ("kind", kind(&proposal)),
        (
            "standard",
            format!("{} {}", proposal.standard, proposal.standard_version),
        ),
        ("rule set", print::hex(&proposal.rule_set_hash)),
        ("state", labelled(project.state())),
        ("proposed", format!("leaf {}", project.proposed_at)),
        ("decided", decided),
        ("expires on", project.expires_on.clone()),
        (
            "approvals",
            format!(
                "{} of {} {}",
                project.approvals.len(),
                project.panel,
                project.approvals.join(", ")
            ),
        ),
        ("rejections", project.rejections.join(", ")),
    ] {
        if !text.is_empty() {
            print::out(&format!("{name:<13}{}", text.trim_end()));
        }
    }
}

fn to_json(project: &v1::Project) -> Value {
    let proposal = project.proposal.clone().unwrap_or_default();
    json!({
        "institution": proposal.institution,
        "project": proposal.project,
        "title": proposal.title,
        "category": print::category(proposal.category),
        "kind": kind(&proposal),
        "standard": proposal.standard,
        "standard_version": proposal.standard_version,
        "rule_set_hash": print::hex(&proposal.rule_set_hash),
        "state": name(project.state()),
        "proposed_at": project.proposed_at,
        "decided_at": project.decided_at,
        "expires_on": project.expires_on,
        "approvals": project.approvals,
        "rejections": project.rejections,
        "panel": project.panel,
    })
}

fn kind(proposal: &v1::ProjectProposed) -> String {
    print::word(proposal.kind().as_str_name(), "PROJECT_KIND_")
}

fn name(state: v1::ProjectState) -> String {
    print::word(state.as_str_name(), "PROJECT_STATE_")
}

fn labelled(state: v1::ProjectState) -> String {
    use v1::ProjectState as S;
    let label = match state {
        S::Unspecified => "?",
        S::Proposed => "评审中",
        S::Admitted => "已准入",
        S::Suspended => "已暂停",
        S::Refused => "未准入",
    };
    format!("{} {label}", name(state))
}

fn state(text: &String) -> Result<i32> {
    use v1::ProjectState as S;
    let all = [S::Proposed, S::Admitted, S::Suspended, S::Refused];
    match all.into_iter().find(|state| name(*state) == *text) {
        Some(state) => Ok(state.into()),
        None => bail!("no state {text:?}; there are {}", all.map(name).join(", ")),
    }
}
