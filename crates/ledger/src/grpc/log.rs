//! `LogService`: the public log for thin clients.

use creditbank_domain::{LeafIndex, Refusal};
use creditbank_merkle::{TreeSize, consistency_proof};
use creditbank_store::Go;
use creditbank_wire::v1;
use creditbank_wire::v1::log_service_server::LogService;
use tonic::{Request, Response, Status};

use super::{Services, failed, page, refuse};
use crate::head::{Head, encode, hashes};

/// Default leaves of a page.
const ENTRIES_PAGE: u32 = 100;
/// Most bytes of leaves in a page.
const ENTRIES_BYTES_MAX: usize = 2 << 20;

#[tonic::async_trait]
impl LogService for Services {
    async fn get_checkpoint(
        &self,
        _: Request<v1::GetCheckpointRequest>,
    ) -> Result<Response<v1::Checkpoint>, Status> {
        Ok(Response::new(v1::Checkpoint {
            note: self.bank.head().note.clone(),
        }))
    }

    async fn get_leaf(
        &self,
        request: Request<v1::GetLeafRequest>,
    ) -> Result<Response<v1::GetLeafResponse>, Status> {
        let head = self.bank.head();
        let index = known(&head, request.into_inner().leaf_index)?;
        let leaf = head.leaf(index).map_err(|error| failed(&error))?;
        Ok(Response::new(v1::GetLeafResponse { leaf: leaf.into() }))
    }

    async fn list_entries(
        &self,
        request: Request<v1::ListEntriesRequest>,
    ) -> Result<Response<v1::ListEntriesResponse>, Status> {
        let request = request.into_inner();
        let size = page::size(request.page_size, ENTRIES_PAGE)
            .map_err(|refusal| refuse(refusal, "page_size"))?;
        let head = self.bank.head();
        let first = request.first_leaf_index;
        let mut leaves: Vec<bytes::Bytes> = Vec::new();
        let mut bytes = 0;
        if first < head.row.size {
            let visit = |chunk: creditbank_store::Chunk| {
                for (_, leaf) in chunk
                    .leaves_in_order()
                    .filter(|(index, _)| index.0 >= first)
                {
                    if leaves.len() == size || bytes > ENTRIES_BYTES_MAX {
                        return Go::Break(());
                    }
                    let leaf = encode(&leaf);
                    bytes += leaf.len();
                    leaves.push(leaf.into());
                }
                Go::Continue(())
            };
            head.snapshot
                .chunks(LeafIndex(first), visit)
                .map_err(|error| failed(&error))?;
        }
        Ok(Response::new(v1::ListEntriesResponse { leaves }))
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<v1::GetInclusionProofRequest>,
    ) -> Result<Response<v1::InclusionProof>, Status> {
        let request = request.into_inner();
        let head = self.bank.head();
        let size = tree_size(&head, request.tree_size, "tree_size")?;
        let index = known(&head, request.leaf_index)?;
        if !size.contains(index.0.into()) {
            return Err(refuse(
                Refusal::IndexOutOfRange { size: size.value() },
                "leaf_index",
            ));
        }
        let leaf = head.leaf(index).map_err(|error| failed(&error))?;
        let proof = head
            .inclusion(index, size)
            .map_err(|error| failed(&error))?;
        Ok(Response::new(v1::InclusionProof {
            leaf_index: index.0,
            tree_size: size.value(),
            leaf: leaf.into(),
            hashes: hashes(&proof),
        }))
    }

    async fn get_consistency_proof(
        &self,
        request: Request<v1::GetConsistencyProofRequest>,
    ) -> Result<Response<v1::ConsistencyProof>, Status> {
        let request = request.into_inner();
        let head = self.bank.head();
        let new = tree_size(&head, request.new_size, "new_size")?;
        let old = TreeSize::new(request.old_size);
        if old > new {
            return Err(refuse(
                Refusal::IndexOutOfRange { size: new.value() },
                "old_size",
            ));
        }
        let proof = consistency_proof(head.as_ref(), old, new).map_err(|error| failed(&error))?;
        let (old_size, new_size) = (old.value(), new.value());
        Ok(Response::new(v1::ConsistencyProof {
            old_size,
            new_size,
            hashes: hashes(&proof),
        }))
    }

    async fn get_receipt(
        &self,
        request: Request<v1::GetReceiptRequest>,
    ) -> Result<Response<v1::Receipt>, Status> {
        let head = self.bank.head();
        let index = known(&head, request.into_inner().leaf_index)?;
        head.receipt(index)
            .map(Response::new)
            .map_err(|error| failed(&error))
    }
}

fn known(head: &Head, index: u64) -> Result<LeafIndex, Status> {
    let index = LeafIndex(index);
    if head.contains(index) {
        return Ok(index);
    }
    Err(refuse(
        Refusal::IndexOutOfRange {
            size: head.row.size,
        },
        "leaf_index",
    ))
}

fn tree_size(head: &Head, asked: u64, field: &str) -> Result<TreeSize, Status> {
    match asked {
        0 => Ok(head.size()),
        size if size <= head.row.size => Ok(TreeSize::new(size)),
        _ => Err(refuse(
            Refusal::IndexOutOfRange {
                size: head.row.size,
            },
            field,
        )),
    }
}
