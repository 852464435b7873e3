//! JSON under `/v1`: what the pages show, for programs of the learner, and what anybody may ask to check a record.
//!
//! One file a resource: its types, its handlers, and what the document says of them. Whoever is signed in asks for their own
//! archive alone, also while acting for somebody else on the pages. Amounts are integers in hundredths, times milliseconds
//! since the epoch, days ISO 8601, binary values base64, ids of grants, requests and records 32 hexadecimal digits. Numbers
//! stay below 2^53, so that every reader of JSON reads them exactly.

mod applications;
mod code;
mod credentials;
mod document;
mod export;
mod extract;
mod grants;
mod log;
mod looks;
mod me;
mod outcome;
mod points;
mod records;
mod requests;
mod status;

use std::sync::Arc;

use axum::Router;

use crate::app::App;

pub(crate) use export::EXPORTS_MAX;

/// Makes one call of the ledger under the role gateway.
macro_rules! ask {
    ($app:expr, $service:ident.$method:ident, $request:expr) => {
        $app.bank
            .call($request, |line: creditbank_client::Line, it| async move {
                line.$service().$method(it).await
            })
    };
}
use ask;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .merge(document::routes())
        .merge(me::routes())
        .merge(records::routes())
        .merge(credentials::routes())
        .merge(export::routes())
        .merge(code::routes())
        .merge(grants::routes())
        .merge(looks::routes())
        .merge(requests::routes())
        .merge(points::routes())
        .merge(applications::routes())
        .merge(status::routes())
        .merge(log::routes())
}
