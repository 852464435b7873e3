//! C2SP tlog-tiles over HTTP: the whole public log as static resources, so that anyone's reader can audit it.

use std::str::FromStr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use creditbank_domain::LeafIndex;
use creditbank_merkle::tile::{TILE_WIDTH, encode_entries, served};
use creditbank_merkle::{Resource, TileId};
use creditbank_store::{Go, StoreError};

use crate::bank::Bank;
use crate::head::{Head, encode};

/// What never changes may be kept for ever.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The routes of the public log.
pub(crate) fn routes(bank: Arc<Bank>) -> Router {
    Router::new()
        .route(
            "/checkpoint",
            get(|state| resource(state, Path("checkpoint".to_owned()))),
        )
        .route(
            "/tile/{*path}",
            get(|state, Path(path): Path<String>| resource(state, Path(format!("tile/{path}")))),
        )
        .with_state(bank)
}

async fn resource(State(bank): State<Arc<Bank>>, Path(path): Path<String>) -> Response {
    let head = bank.head();
    let found = match Resource::from_str(&path) {
        Ok(Resource::Checkpoint) => return text(head.note.clone()),
        Ok(Resource::Tile { id, partial }) => tile(&head, id, width(partial)),
        Ok(Resource::Entries { index, partial }) => entries(&head, index, width(partial)),
        Err(_) => Ok(None),
    };
    match found {
        Ok(Some(bytes)) => {
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream"),
                (header::CACHE_CONTROL, FOR_EVER),
            ];
            (headers, bytes).into_response()
        }
        Ok(None) => (StatusCode::NOT_FOUND, "not found\n").into_response(),
        Err(error) => {
            tracing::error!(%error, "a tile could not be read");
            (StatusCode::INTERNAL_SERVER_ERROR, "cannot be read now\n").into_response()
        }
    }
}

fn text(note: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, note).into_response()
}

fn width(partial: Option<std::num::NonZeroU8>) -> usize {
    partial.map_or(TILE_WIDTH, |width| usize::from(width.get()))
}

fn tile(head: &Head, id: TileId, width: usize) -> Result<Option<Vec<u8>>, StoreError> {
    let there = id.width(head.size());
    if width > there {
        return Ok(None);
    }
    if there == TILE_WIDTH {
        return Ok(served(&head.snapshot.tile(id)?, width).map(<[u8]>::to_vec));
    }
    Ok(Some(
        head.edge.partial_tile(id.level)[..width]
            .iter()
            .flat_map(|hash| hash.0)
            .collect(),
    ))
}

fn entries(head: &Head, index: u64, width: usize) -> Result<Option<Vec<u8>>, StoreError> {
    if width > (TileId { level: 0, index }).width(head.size()) {
        return Ok(None);
    }
    let first = index * TILE_WIDTH as u64;
    let end = first + width as u64;
    let mut leaves = Vec::with_capacity(width);
    head.snapshot.chunks(LeafIndex(first), |chunk| {
        let inside = chunk
            .leaves_in_order()
            .filter(|(at, _)| (first..end).contains(&at.0));
        leaves.extend(inside.map(|(_, leaf)| encode(&leaf)));
        if chunk.first.0 + chunk.leaves() >= end {
            Go::Break(())
        } else {
            Go::Continue(())
        }
    })?;
    Ok(encode_entries(leaves.iter().map(Vec::as_slice)).ok())
}
