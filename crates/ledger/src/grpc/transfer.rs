//! `TransferService`: transfers between banks, for peers, agents and operators.

use std::time::Duration;

use creditbank_domain::record::Role;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::transfer::book::Place;
use creditbank_domain::transfer::{State, TransferId};
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_store::{Go, ShelfKey, StoreError};
use creditbank_wire::convert::transfer::step_message;
use creditbank_wire::status::reason_text;
use creditbank_wire::v1;
use creditbank_wire::v1::transfer_service_server::TransferService;
use tonic::{Request, Response, Status};

use super::page::{self, Query};
use super::{Services, carried, failed, refuse, refuse_all};
use crate::bank::Bank;
use crate::transfer::{self, TransferRow, told};

/// Default and most steps of one answer: packages are up to 24 KiB.
const STEPS: (u32, u32) = (64, 256);
/// Longest wait for a first step.
const WAIT_MS_MAX: u32 = 30_000;
/// How often it is looked whether the bank stops.
const LOOK: Duration = Duration::from_secs(1);
/// Default transfers of a page.
const PAGE: u32 = 100;
/// Who asks on behalf of learners, or runs the bank.
const FOR_LEARNERS: [Role; 3] = [Role::LearnerAgent, Role::Gateway, Role::Operator];

#[tonic::async_trait]
impl TransferService for Services {
    async fn read_steps(
        &self,
        request: Request<v1::ReadStepsRequest>,
    ) -> Result<Response<v1::ReadStepsResponse>, Status> {
        let caller = self.caller(&request, &[Role::PeerBank])?;
        let request = request.into_inner();
        let size = match request.page_size {
            0 => STEPS.0,
            size if size <= STEPS.1 => size,
            _ => {
                let max = i64::from(STEPS.1);
                return Err(refuse(Refusal::OutOfRange { min: 0, max }, "page_size"));
            }
        };
        let bank = &self.bank;
        let mut stepped = bank.desk().stepped();
        let read = || {
            let after = request.after;
            tokio::task::block_in_place(|| steps(bank, &caller.id, caller.number, after, size))
        };
        let mut steps = read()?;
        let waiting = async {
            while steps.is_empty() && !bank.is_stopping() {
                // Woken now and then, so that a stop of the bank does not wait for a peer.
                drop(tokio::time::timeout(LOOK, stepped.changed()).await);
                steps = read()?;
            }
            Ok::<_, Status>(())
        };
        let wait = Duration::from_millis(u64::from(request.wait_ms.min(WAIT_MS_MAX)));
        tokio::time::timeout(wait, waiting)
            .await
            .unwrap_or(Ok(()))?;
        Ok(Response::new(v1::ReadStepsResponse { steps }))
    }

    async fn get_transfer(
        &self,
        request: Request<v1::GetTransferRequest>,
    ) -> Result<Response<v1::TransferView>, Status> {
        let roles = [FOR_LEARNERS.as_slice(), &[Role::Auditor]].concat();
        self.caller(&request, &roles)?;
        let (place, row) = self.transfer(&request.into_inner().transfer_id)?;
        Ok(Response::new(view(&self.bank, place.0, &row)))
    }

    async fn list_transfers(
        &self,
        request: Request<v1::ListTransfersRequest>,
    ) -> Result<Response<v1::ListTransfersResponse>, Status> {
        self.caller(&request, &[Role::Operator, Role::Auditor])?;
        let request = request.into_inner();
        let size =
            page::size(request.page_size, PAGE).map_err(|refusal| refuse(refusal, "page_size"))?;
        let state = match request.state.as_str() {
            "" => None,
            code => Some(
                State::ALL
                    .into_iter()
                    .find(|state| state.code() == code)
                    .ok_or_else(|| refuse(Refusal::ChoiceUnknown, "state"))?,
            ),
        };
        let head = self.bank.head();
        let peer = head.registry.institution(&request.peer);
        let peer = peer.filter(|it| it.profile.role == Role::PeerBank);
        let peer = peer.ok_or_else(|| refuse(Refusal::PeerUnknown, "peer"))?;
        let query = Query::of(&[
            b"transfers",
            request.peer.as_bytes(),
            request.state.as_bytes(),
        ]);
        let from = query.place(&request.page_token);
        let from = from.map_err(|refusal| refuse(refusal, "page_token"))?;
        let from = from.map_or(Ok(TransferId([0; 16])), |place| {
            TransferId::from_slice(&place)
                .map_err(|_| refuse(Refusal::PageTokenInvalid, "page_token"))
        })?;
        let mut transfers = Vec::new();
        let mut next = None;
        let read = transfer::each(&head.snapshot, peer.number, from, |row| {
            if state.is_some_and(|state| row.transfer.state() != state) {
                return Go::Continue(());
            }
            if transfers.len() == size {
                next = Some(row.transfer.id);
                return Go::Break(());
            }
            transfers.push(view(&self.bank, peer.number, &row));
            Go::Continue(())
        });
        read.map_err(|error| failed(&error))?;
        let next_page_token = next.map(|id| query.token(&id.0)).unwrap_or_default();
        Ok(Response::new(v1::ListTransfersResponse {
            transfers,
            next_page_token,
        }))
    }

    async fn recall_transfer(
        &self,
        request: Request<v1::RecallTransferRequest>,
    ) -> Result<Response<v1::TransferView>, Status> {
        self.caller(&request, &FOR_LEARNERS)?;
        let id = request.into_inner().transfer_id;
        let (place, _) = self.transfer(&id)?;
        let bank = self.bank.clone();
        let recalled = carried(async move { bank.recall(place).await }).await?;
        recalled.map_err(|faults| refuse_all(&faults))?;
        let (place, row) = self.transfer(&id)?;
        Ok(Response::new(view(&self.bank, place.0, &row)))
    }
}

impl Services {
    fn transfer(&self, id: &[u8]) -> Result<(Place, TransferRow), Status> {
        let id = TransferId::from_slice(id).map_err(|refusal| refuse(refusal, "transfer_id"))?;
        let found = transfer::find(&self.bank.head(), id).map_err(|error| failed(&error))?;
        found.ok_or_else(|| refuse(Refusal::TransferUnknown, "transfer_id"))
    }
}

/// This bank's steps towards a peer behind `after`.
fn steps(
    bank: &Bank,
    id: &str,
    number: InstitutionNumber,
    after: u64,
    size: u32,
) -> Result<Vec<v1::SentStep>, Status> {
    let peer = bank.peers().get(id);
    let peer = peer.ok_or_else(|| refuse(Refusal::PeerUnknown, ""))?;
    if peer.is_stopped() {
        return Err(refuse(Refusal::PeerStopped, ""));
    }
    let Some(cosigned) = peer.cosigned_ours() else {
        return Ok(Vec::new());
    };
    let head = bank.head();
    let read = || -> Result<Vec<v1::SentStep>, StoreError> {
        let mut leaves = Vec::new();
        let from = ShelfKey::Sent(number, after.saturating_add(1));
        head.snapshot.shelf_rows(&from, |key, row| {
            let leaf = row.try_into().map(u64::from_be_bytes);
            if let (ShelfKey::Sent(_, sequence), Ok(leaf)) = (key, leaf) {
                leaves.push((sequence, LeafIndex(leaf)));
            }
            match leaves.len() >= size as usize {
                true => Go::Break(()),
                false => Go::Continue(()),
            }
        })?;
        let mut steps = Vec::with_capacity(leaves.len());
        for step in leaves {
            match told(bank, &head, peer, &cosigned, step)? {
                Some(step) => steps.push(step),
                None => break,
            }
        }
        Ok(steps)
    };
    read().map_err(|error| failed(&error))
}

/// A transfer as it is shown.
fn view(bank: &Bank, peer: InstitutionNumber, row: &TransferRow) -> v1::TransferView {
    let transfer = &row.transfer;
    let head = bank.head();
    let peer = head.registry.by_number(peer);
    let steps = transfer.steps.iter().zip(&row.entries);
    let mut newest = transfer.steps.iter().rev();
    let last = newest.find_map(|taken| taken.step.reason());
    let (reason_zh, reason_en) = last.map(reason_text).unwrap_or_default();
    v1::TransferView {
        transfer_id: transfer.id.0.to_vec().into(),
        peer: peer.map(|it| it.profile.id.to_string()).unwrap_or_default(),
        side: transfer.side as i32,
        state: transfer.state().code().to_owned(),
        acknowledged: transfer.is_acknowledged(),
        reason: last
            .map(|reason| reason.code().to_owned())
            .unwrap_or_default(),
        reason_zh: reason_zh.to_owned(),
        reason_en: reason_en.to_owned(),
        record: row.record.map(|leaf| leaf.0),
        request: row.request.map(|leaf| leaf.0),
        steps: steps
            .map(|(taken, leaf)| v1::TransferStepView {
                by: taken.step.taker() as i32,
                sequence: taken.sequence,
                at_ms: taken.at_ms,
                leaf_index: leaf.0,
                step: Some(step_message(&taken.step)),
            })
            .collect(),
    }
}
