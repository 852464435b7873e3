//! Every small change of a signed document: each value changed, each member removed, a member added to each object, and
//! bytes of its text flipped.

use serde_json::{Map, Value, json};

/// A changed document.
pub(crate) struct Mutation {
    /// What was changed: the kind of change and the place.
    pub(crate) name: String,
    pub(crate) credential: Value,
    /// The signature that reads the document as RDF must fail.
    pub(crate) fails_rdfc: bool,
    /// The signature that reads it as JSON must fail.
    pub(crate) fails_jcs: bool,
    /// Nothing is changed but the context that the second proof repeats.
    pub(crate) only_context_of_proof: bool,
}

/// Every structural change of `original`.
pub(crate) fn structural(original: &Value) -> Vec<Mutation> {
    let mut places = Vec::new();
    walk(original, String::new(), &mut places);
    let mut all = Vec::new();
    for place in &places {
        for (change, credential) in changes(original, place) {
            all.extend(mutation(format!("{change} {place}"), original, credential));
        }
    }
    all
}

/// Every `stride`th byte of the text flipped in its lowest bit, where the result is another JSON document.
pub(crate) fn bytes(original: &Value, stride: usize) -> Vec<Mutation> {
    let text = original.to_string().into_bytes();
    (0..text.len())
        .step_by(stride)
        .filter_map(|at| {
            let mut flipped = text.clone();
            flipped[at] ^= 1;
            let credential = serde_json::from_slice(&flipped).ok()?;
            mutation(format!("flip byte {at}"), original, credential)
        })
        .collect()
}

/// Tells by what differs which signatures must fail; nothing where the documents are equal.
fn mutation(name: String, original: &Value, credential: Value) -> Option<Mutation> {
    if *original == credential {
        return None;
    }
    let part = |document: &Value, index: usize| document["proof"][index].clone();
    let rest = |document: &Value| {
        let mut document = document.clone();
        if let Some(members) = document.as_object_mut() {
            members.remove("proof");
        }
        document
    };
    let document = rest(original) != rest(&credential);
    // Where a proof is gone the other one moves up, and still holds.
    let find = |suite: &str, document: &Value| {
        let proofs = document["proof"].as_array();
        proofs.and_then(|proofs| proofs.iter().find(|it| it["cryptosuite"] == suite).cloned())
    };
    let other = |suite, index| find(suite, &credential) != Some(part(original, index));
    Some(Mutation {
        fails_rdfc: (document && !is_the_same_rdf(original, &name)) || other("eddsa-rdfc-2022", 0),
        fails_jcs: document || other("eddsa-jcs-2022", 1),
        only_context_of_proof: without_context(original) == without_context(&credential),
        name,
        credential,
    })
}

fn without_context(document: &Value) -> Value {
    let mut document = document.clone();
    if let Some(proof) = document
        .pointer_mut("/proof/1")
        .and_then(Value::as_object_mut)
    {
        proof.remove("@context");
    }
    document
}

/// What is said twice inside a CLR can be left out once without a change of meaning as RDF; as JSON it is another document.
/// The context of an inner second proof says again what the CLR's does, and each badge names the CLR's own issuer.
fn is_the_same_rdf(original: &Value, name: &str) -> bool {
    if original["type"][1] != "ClrCredential" {
        return false;
    }
    let inner = "/credentialSubject/verifiableCredential/";
    let context = name.contains(inner) && name.contains("/proof/1/@context");
    let issuer = ["/issuer/name", "/issuer/type", "/issuer/type/0"];
    let place = name.strip_prefix("remove ");
    place.is_some_and(|place| context || issuer.contains(&place))
}

fn walk(value: &Value, place: String, places: &mut Vec<String>) {
    let mut step = |key: &str, value: &Value| {
        let place = format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"));
        walk(value, place, places);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| step(key, value)),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, value)| step(&index.to_string(), value));
        }
        _ => {}
    }
    places.push(place);
}

/// The document with the value at `place` changed, removed, or given a member more.
fn changes(original: &Value, place: &str) -> Vec<(&'static str, Value)> {
    let mut changes = Vec::new();
    let mut add = |name, change: &dyn Fn(&mut Value)| {
        let mut document = original.clone();
        change(&mut document);
        changes.push((name, document));
    };
    let at = |document: &mut Value, change: &dyn Fn(&mut Value)| {
        change(
            document
                .pointer_mut(place)
                .expect("a place of the document"),
        );
    };
    match original.pointer(place).expect("a place of the document") {
        Value::Object(_) => add("add", &|document| {
            at(document, &|value| {
                members(value).insert("extra".into(), json!("x"));
            });
        }),
        Value::Array(_) => {}
        _ => add("change", &|document| at(document, &alter)),
    }
    if let Some((parent, key)) = place.rsplit_once('/') {
        add("remove", &|document| {
            let parent = document.pointer_mut(parent).expect("a parent");
            match parent {
                Value::Array(items) => drop(items.remove(key.parse().expect("an index"))),
                parent => {
                    let key = key.replace("~1", "/").replace("~0", "~");
                    members(parent).remove(&key);
                }
            }
        });
    }
    changes
}

fn members(value: &mut Value) -> &mut Map<String, Value> {
    value.as_object_mut().expect("an object")
}

/// Another value of the same kind; of a text, one that differs in its last character.
fn alter(value: &mut Value) {
    *value = match &*value {
        Value::String(text) => {
            let mut text = text.clone();
            let last = text.pop();
            text.push(if last == Some('1') { '2' } else { '1' });
            json!(text)
        }
        Value::Bool(is) => json!(!is),
        Value::Number(number) if number.as_u64().is_some() => {
            json!(number.as_u64().map(|it| it + 1))
        }
        Value::Number(_) => json!(7.25),
        _ => json!("was null"),
    };
}
