//! `ReconciliationService`: periods with peer banks, for operators and auditors, and for the peers themselves.

use std::pin::Pin;
use std::sync::Arc;

use creditbank_domain::Refusal;
use creditbank_domain::reconcile::{LIST_MAX, Period, Prefix, RANGES_MAX, Ranges};
use creditbank_domain::record::Role;
use creditbank_domain::transfer::TransferId;
use creditbank_wire::convert::reconciliation as wire;
use creditbank_wire::v1;
use creditbank_wire::v1::reconciliation_service_server::ReconciliationService;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::page::{self, Query};
use super::{Services, failed, refuse};
use crate::bank::Bank;
use crate::reconcile::{self, News, Partner, Stage, Wish, closed_report, item_of, recent, summary};

/// Default periods of a page.
const PAGE: u32 = 100;
/// Most ranges of one request for lists.
const LISTS_MAX: usize = 32;
/// Most items of one request.
const ITEMS_MAX: usize = 1000;
/// Messages that wait for their reader; progress that finds no room is left out.
const MESSAGES_AHEAD: usize = 4;
/// When to ask again while another reconciliation is under way, in milliseconds.
const RETRY_MS: u64 = 1_000;

/// An operator closes one period at a time.
static ROOM: Semaphore = Semaphore::const_new(1);

type Answer = Result<v1::ReconcileResponse, Status>;

#[tonic::async_trait]
impl ReconciliationService for Services {
    type ReconcileStream = Pin<Box<dyn Stream<Item = Answer> + Send>>;

    async fn reconcile(
        &self,
        request: Request<v1::ReconcileRequest>,
    ) -> Result<Response<Self::ReconcileStream>, Status> {
        self.caller(&request, &[Role::Operator])?;
        let request = request.into_inner();
        let partner = self.partner(&request.peer)?;
        let period = period(&request.period)?;
        let retry_ms = RETRY_MS;
        let room = ROOM.try_acquire();
        let room = room.map_err(|_| refuse(Refusal::QueueFull { retry_ms }, ""))?;
        let (answers, receiver) = channel(MESSAGES_AHEAD);
        let bank = Arc::clone(&self.bank);
        // Carried through to its end, though its caller may go away meanwhile.
        tokio::spawn(async move {
            let _room = room;
            let told = telling(answers.clone());
            let incomplete = request.incomplete;
            let report = reconcile::reconcile(&bank, &partner, period, incomplete, told).await;
            let answer = report
                .map(|report| news(v1::reconcile_response::News::Report(report)))
                .map_err(|refusal| refuse(refusal, ""));
            // Nobody listens any more if this fails.
            drop(answers.send(answer).await);
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn get_reconciliation(
        &self,
        request: Request<v1::GetReconciliationRequest>,
    ) -> Result<Response<v1::ReconciliationReport>, Status> {
        self.caller(&request, &[Role::Operator, Role::Auditor])?;
        let request = request.into_inner();
        let partner = self.partner(&request.peer)?;
        let period = period(&request.period)?;
        let report = closed_report(&self.bank, &partner, period);
        let report = report.map_err(|refusal| refuse(refusal, ""))?;
        let what = "reconciliation";
        let report = report.ok_or_else(|| refuse(Refusal::NotFound { what }, "period"))?;
        Ok(Response::new(report))
    }

    async fn list_reconciliations(
        &self,
        request: Request<v1::ListReconciliationsRequest>,
    ) -> Result<Response<v1::ListReconciliationsResponse>, Status> {
        self.caller(&request, &[Role::Operator, Role::Auditor])?;
        let request = request.into_inner();
        let size =
            page::size(request.page_size, PAGE).map_err(|refusal| refuse(refusal, "page_size"))?;
        let only = match request.peer.is_empty() {
            true => None,
            false => Some(self.partner(&request.peer)?.origin),
        };
        let query = Query::of(&[b"reconciliations", request.peer.as_bytes()]);
        let skip = query.number(&request.page_token);
        let skip = skip.map_err(|refusal| refuse(refusal, "page_token"))?;
        let skip = usize::try_from(skip.unwrap_or(0)).unwrap_or(usize::MAX);
        let head = self.bank.head();
        let periods = head.registry.periods();
        let peers = periods
            .peers()
            .filter(|it| only.as_deref().is_none_or(|only| only == *it));
        // Periods are few: one a month and a peer.
        let all = peers.flat_map(|peer| periods.with(peer).iter().map(move |it| (peer, it)));
        let mut rest = all.skip(skip);
        let page = rest.by_ref().take(size);
        let reconciliations: Vec<_> = page.map(|(peer, it)| summary(peer, it)).collect();
        let next = (skip + reconciliations.len()) as u64;
        let has_more = rest.next().is_some();
        Ok(Response::new(v1::ListReconciliationsResponse {
            reconciliations,
            next_page_token: match has_more {
                true => query.token(&next.to_be_bytes()),
                false => String::new(),
            },
        }))
    }

    async fn state_period(
        &self,
        request: Request<v1::StatePeriodRequest>,
    ) -> Result<Response<v1::StatePeriodResponse>, Status> {
        let caller = self.caller(&request, &[Role::PeerBank])?;
        let request = request.into_inner();
        let partner = self.partner(&caller.id)?;
        let wish = Wish {
            period: period(&request.period)?,
            sent: request.sent,
            incomplete: request.incomplete,
        };
        let stated = stated(&self.bank, &partner, wish).await;
        let (statement, leaf) = stated.map_err(|refusal| refuse(refusal, "period"))?;
        let receipt = self.bank.head().receipt(leaf);
        Ok(Response::new(v1::StatePeriodResponse {
            statement: Some(wire::period_statement_message(&statement)),
            receipt: Some(receipt.map_err(|error| failed(&error))?),
        }))
    }

    async fn compare_ranges(
        &self,
        request: Request<v1::CompareRangesRequest>,
    ) -> Result<Response<v1::CompareRangesResponse>, Status> {
        let caller = self.caller(&request, &[Role::PeerBank])?;
        let request = request.into_inner();
        let ranges = ranges(&request.ranges, RANGES_MAX)?;
        let partner = self.partner(&caller.id)?;
        let digest = recent(&self.bank, &partner, period(&request.period)?).await;
        let digest = digest.map_err(|refusal| refuse(refusal, "period"))?;
        // Roots over everything are some hundred milliseconds of hashing.
        let summaries = tokio::task::spawn_blocking(move || {
            let summaries = ranges.iter().map(|range| digest.summary(range));
            summaries.map(|it| wire::summary_message(&it)).collect()
        });
        let ranges = summaries.await.map_err(|_| refuse(Refusal::Internal, ""))?;
        Ok(Response::new(v1::CompareRangesResponse { ranges }))
    }

    async fn list_items(
        &self,
        request: Request<v1::ListItemsRequest>,
    ) -> Result<Response<v1::ListItemsResponse>, Status> {
        let caller = self.caller(&request, &[Role::PeerBank])?;
        let request = request.into_inner();
        let ranges = ranges(&request.ranges, LISTS_MAX)?;
        let ids = ids(&request.transfer_ids)?;
        let partner = self.partner(&caller.id)?;
        let period = period(&request.period)?;
        let digest = recent(&self.bank, &partner, period).await;
        let digest = digest.map_err(|refusal| refuse(refusal, "period"))?;
        let max = LIST_MAX as u32;
        if ranges.iter().any(|range| digest.count(range) > LIST_MAX) {
            return Err(refuse(Refusal::TooMany { max }, "ranges"));
        }
        let lists = ranges
            .iter()
            .map(|range| wire::leaves_message(&digest.list(range)));
        let head = self.bank.head();
        let item = |id: &TransferId| item_of(&head, &partner, period, *id);
        let items =
            tokio::task::block_in_place(|| ids.iter().map(item).collect::<Result<Vec<_>, _>>());
        let items = items.map_err(|refusal| refuse(refusal, "transfer_ids"))?;
        Ok(Response::new(v1::ListItemsResponse {
            lists: lists.collect(),
            items: items.iter().flatten().map(wire::item_message).collect(),
        }))
    }
}

impl Services {
    fn partner(&self, id: &str) -> Result<Partner, Status> {
        let partner = Partner::find(&self.bank, &self.bank.head(), id);
        partner.map_err(|refusal| refuse(refusal, "peer"))
    }
}

/// This bank's statement and its leaf. What was stated before is answered without reading anything, but what the peer is
/// going to compare is read again.
async fn stated(
    bank: &Arc<Bank>,
    partner: &Partner,
    wish: Wish,
) -> Result<
    (
        creditbank_domain::reconcile::PeriodStatement,
        creditbank_domain::LeafIndex,
    ),
    Refusal,
> {
    if bank.peers().is_stopped(&partner.id) {
        return Err(Refusal::PeerStopped);
    }
    let digest = reconcile::read(bank, partner, wish.period, |_| {}).await?;
    reconcile::state(bank, partner, &digest, wish).await
}

/// Tells how far it is, while somebody listens and keeps up.
fn telling(answers: Sender<Answer>) -> impl Fn(News) + Clone + Send + 'static {
    move |(stage, done)| {
        use v1::reconcile_progress::Stage as Told;
        let stage = match stage {
            Stage::Reading => Told::Reading,
            Stage::Asking => Told::Asking,
            Stage::Comparing => Told::Comparing,
            Stage::Closing => Told::Closing,
        };
        let progress = v1::ReconcileProgress {
            stage: stage as i32,
            done,
        };
        let progress = v1::reconcile_response::News::Progress(progress);
        // Never waits: the last place is the report's.
        if answers.capacity() > 1 {
            drop(answers.try_send(Ok(news(progress))));
        }
    }
}

const fn news(news: v1::reconcile_response::News) -> v1::ReconcileResponse {
    v1::ReconcileResponse { news: Some(news) }
}

fn period(text: &str) -> Result<Period, Status> {
    Period::parse(text).map_err(|refusal| refuse(refusal, "period"))
}

fn ranges(ranges: &[v1::IdRange], max: usize) -> Result<Vec<Prefix>, Status> {
    if ranges.len() > max {
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        return Err(refuse(Refusal::TooMany { max }, "ranges"));
    }
    let ranges = ranges.iter().map(wire::range);
    let ranges: Result<_, _> = ranges.collect();
    ranges.map_err(|refusal| refuse(refusal, "ranges"))
}

fn ids(ids: &[prost::bytes::Bytes]) -> Result<Vec<TransferId>, Status> {
    let refused = |refusal| refuse(refusal, "transfer_ids");
    if ids.len() > ITEMS_MAX {
        let max = ITEMS_MAX as u32;
        return Err(refused(Refusal::TooMany { max }));
    }
    let ids = ids.iter().map(|id| TransferId::from_slice(id));
    let ids: Vec<_> = ids.collect::<Result<_, _>>().map_err(refused)?;
    match ids.is_sorted_by(|one, next| one < next) {
        true => Ok(ids),
        false => Err(refused(Refusal::NotAscending)),
    }
}
