//! Printing institutions.

use anyhow::Result;
use creditbank_client::Bank;
use creditbank_domain::outcome::Category;
use creditbank_wire::v1;

use super::all;
use crate::print;

/// Prints all of them.
pub(super) async fn list(bank: &Bank, json: bool) -> Result<()> {
    let institutions = all(bank).await?;
    if json {
        print::json(&institutions.iter().map(to_json).collect());
        return Ok(());
    }
    let row = |it: &v1::Institution| {
        let profile = profile(it);
        let keys = it
            .keys
            .iter()
            .filter(|key| key.valid_until.is_none())
            .count();
        let state = if it.suspended { "suspended" } else { "active" };
        [
            profile.institution_id,
            profile.display_name,
            role_name(profile.role),
            state.to_owned(),
            keys.to_string(),
            codes(&it.categories),
        ]
    };
    let rows: Vec<_> = institutions.iter().map(row).collect();
    print::table(
        ["institution", "name", "role", "state", "keys", "categories"],
        &rows,
    );
    Ok(())
}

/// Prints one with its history.
pub(super) fn show(institution: &v1::Institution, json: bool) {
    if json {
        return print::json(&to_json(institution));
    }
    let profile = profile(institution);
    println!("institution   {}", profile.institution_id);
    println!("name          {}", profile.display_name);
    println!("role          {}", role_name(profile.role));
    println!(
        "state         {}",
        if institution.suspended {
            "suspended"
        } else {
            "active"
        }
    );
    println!("admitted      leaf {}", institution.admitted_at);
    println!("categories    {}", codes(&institution.categories));
    for (name, text) in [
        ("uscc", profile.uscc),
        ("school code", profile.school_code),
        ("region", profile.region),
    ] {
        if !text.is_empty() {
            println!("{name:<14}{text}");
        }
    }
    for key in &institution.keys {
        let until = print::or_dash(key.valid_until);
        let doubtful = key
            .doubtful_from
            .map(|from| format!(", doubtful from leaf {from}"))
            .unwrap_or_default();
        println!(
            "key           {}  {}  leaves {} to {until}{doubtful}",
            print::hex(&key.key_id),
            purpose(key),
            key.valid_from
        );
    }
}

fn to_json(institution: &v1::Institution) -> serde_json::Value {
    let profile = profile(institution);
    let key = |key: &v1::InstitutionKey| {
        serde_json::json!({
            "key_id": print::hex(&key.key_id),
            "purpose": purpose(key),
            "valid_from": key.valid_from,
            "valid_until": key.valid_until,
            "doubtful_from": key.doubtful_from,
        })
    };
    serde_json::json!({
        "institution": profile.institution_id,
        "name": profile.display_name,
        "role": role_name(profile.role),
        "uscc": profile.uscc,
        "school_code": profile.school_code,
        "region": profile.region,
        "suspended": institution.suspended,
        "admitted_at": institution.admitted_at,
        "categories": institution.categories.iter().map(|it| print::category(*it)).collect::<Vec<_>>(),
        "keys": institution.keys.iter().map(key).collect::<Vec<_>>(),
    })
}

pub(super) fn profile(institution: &v1::Institution) -> v1::InstitutionProfile {
    institution.profile.clone().unwrap_or_default()
}

fn role_name(role: i32) -> String {
    print::word(
        v1::Role::try_from(role).unwrap_or_default().as_str_name(),
        "ROLE_",
    )
}

fn purpose(key: &v1::InstitutionKey) -> String {
    let purpose = key.key.as_ref().map_or(0, |key| key.purpose);
    print::word(
        v1::KeyPurpose::try_from(purpose)
            .unwrap_or_default()
            .as_str_name(),
        "KEY_PURPOSE_",
    )
}

fn codes(categories: &[i32]) -> String {
    if categories.len() == Category::ALL.len() {
        return "all".to_owned();
    }
    categories
        .iter()
        .map(|it| print::category(*it))
        .collect::<Vec<_>>()
        .join(", ")
}
