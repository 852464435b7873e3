//! `PointsService`: the points of learners.

use std::sync::Arc;

use creditbank_domain::Digest32;
use creditbank_domain::Fault;
use creditbank_domain::points::{Honour, RedemptionId};
use creditbank_domain::record::Role;
use creditbank_domain::text::Label;
use creditbank_wire::convert::points::{
    balances, honour_message, lots, movement, redemption_id, redemption_message, withheld_message,
};
use creditbank_wire::convert::record::{canonical, digest};
use creditbank_wire::v1;
use creditbank_wire::v1::points_service_server::PointsService;
use tonic::{Request, Response, Status};

use super::learner::code;
use super::page::{self, Query};
use super::rule::named_set;
use super::{Services, carried, failed, refuse, refuse_all};
use crate::clock;
use crate::head::envelope;
use crate::points::{Awarded, Moved, Redeem, Wallet};

/// Default records of a page of the history.
const PAGE: u32 = 20;
/// Who asks and redeems on behalf of learners.
const FOR_LEARNERS: [Role; 3] = [Role::Gateway, Role::LearnerAgent, Role::Operator];

#[tonic::async_trait]
impl PointsService for Services {
    async fn get_points(
        &self,
        request: Request<v1::GetPointsRequest>,
    ) -> Result<Response<v1::Purse>, Status> {
        self.caller(&request, &FOR_LEARNERS)?;
        let request = request.into_inner();
        let size =
            page::size(request.page_size, PAGE).map_err(|refusal| refuse(refusal, "page_size"))?;
        let learner = code(&request.learner, "learner")?;
        let query = Query::of(&[b"points", &learner.as_u64().to_be_bytes()]);
        let before = query
            .number(&request.page_token)
            .map_err(|refusal| refuse(refusal, "page_token"))?;
        let wallet = Wallet::open(&self.bank, self.bank.head(), learner)
            .map_err(|error| failed(&error))?
            .map_err(|refusal| refuse(refusal, "learner"))?;
        let rule_set = match request.rule_set_hash.is_empty() && request.rule_set.is_empty() {
            true => last_set(&wallet)?,
            false => {
                let (hash, id) = (&request.rule_set_hash, &request.rule_set);
                Some(named_set(&wallet.archive.head, hash, id, "")?)
            }
        };
        let mut purse = self.purse(&wallet, rule_set)?;
        let newest = wallet.records.iter().rev();
        let mut page = newest.filter(|record| before.is_none_or(|before| record.index.0 < before));
        purse.history = page.by_ref().take(size).map(record).collect();
        let last = purse.history.last().filter(|_| page.next().is_some());
        let next = last.map(|last| query.token(&last.leaf_index.to_be_bytes()));
        purse.next_page_token = next.unwrap_or_default();
        Ok(Response::new(purse))
    }

    async fn award_points(
        &self,
        request: Request<v1::AwardPointsRequest>,
    ) -> Result<Response<v1::AwardPointsResponse>, Status> {
        self.caller(&request, &[Role::Operator])?;
        let request = request.into_inner();
        let learner = code(&request.learner, "learner")?;
        let (hash, id) = (&request.rule_set_hash, &request.rule_set);
        let rule_set = named_set(&self.bank.head(), hash, id, "")?;
        let bank = Arc::clone(&self.bank);
        let validate_only = request.validate_only;
        let awarding = async move { bank.award(learner, rule_set, validate_only).await };
        let awarded = carried(awarding).await?;
        let Awarded {
            wallet,
            entries,
            withheld,
            leaves,
        } = awarded.map_err(|faults| refuse_all(&faults))?;
        Ok(Response::new(v1::AwardPointsResponse {
            movements: entries.iter().map(movement).collect(),
            withheld: withheld.iter().map(withheld_message).collect(),
            available: wallet.purse.available(clock::today()),
            owed: wallet.purse.owed(),
            rule_set_hash: rule_set.to_vec().into(),
            leaf_indexes: leaves.iter().map(|leaf| leaf.0).collect(),
        }))
    }

    async fn reserve_points(
        &self,
        request: Request<v1::ReservePointsRequest>,
    ) -> Result<Response<v1::RedemptionResponse>, Status> {
        self.caller(&request, &FOR_LEARNERS)?;
        let request = request.into_inner();
        let purpose =
            Label::parse(&request.purpose).map_err(|refusal| refuse(refusal, "purpose"))?;
        let points = request.points;
        let step = Redeem::Reserve { points, purpose };
        self.redeem(&request.learner, &request.redemption, step)
            .await
    }

    async fn confirm_redemption(
        &self,
        request: Request<v1::ConfirmRedemptionRequest>,
    ) -> Result<Response<v1::RedemptionResponse>, Status> {
        self.caller(&request, &FOR_LEARNERS)?;
        let request = request.into_inner();
        self.redeem(&request.learner, &request.redemption, Redeem::Confirm)
            .await
    }

    async fn cancel_redemption(
        &self,
        request: Request<v1::CancelRedemptionRequest>,
    ) -> Result<Response<v1::RedemptionResponse>, Status> {
        self.caller(&request, &FOR_LEARNERS)?;
        let request = request.into_inner();
        self.redeem(&request.learner, &request.redemption, Redeem::Cancel)
            .await
    }
}

impl Services {
    async fn redeem(
        &self,
        learner: &str,
        redemption: &[u8],
        step: Redeem,
    ) -> Result<Response<v1::RedemptionResponse>, Status> {
        let learner = code(learner, "learner")?;
        let id: RedemptionId =
            redemption_id(redemption).map_err(|refusal| refuse(refusal, "redemption"))?;
        let bank = Arc::clone(&self.bank);
        let redeeming = async move { bank.redeem(learner, id, step).await };
        let wallet: Result<Wallet, Vec<Fault>> = carried(redeeming).await?;
        let purse = wallet.map_err(|faults| refuse_all(&faults))?.purse;
        let redemption = purse.redemption(id);
        Ok(Response::new(v1::RedemptionResponse {
            redemption: redemption.map(|it| redemption_message(id, it)),
            available: purse.available(clock::today()),
            owed: purse.owed(),
        }))
    }

    /// A purse without its history.
    fn purse(&self, wallet: &Wallet, rule_set: Option<Digest32>) -> Result<v1::Purse, Status> {
        let (head, purse) = (&wallet.archive.head, &wallet.purse);
        let set = rule_set
            .map(|hash| self.compiled(head, &hash))
            .transpose()?;
        let honours = set.as_ref().map_or(&[][..], |set| &set.set().honours);
        let lifetime = purse.lifetime();
        let open = purse.open_redemptions();
        Ok(v1::Purse {
            balances: balances(purse),
            available: purse.available(clock::today()),
            owed: purse.owed(),
            lifetime,
            lots: lots(purse),
            open_redemptions: open.map(|(id, it)| redemption_message(id, it)).collect(),
            rule_set_hash: rule_set
                .map(|hash| hash.to_vec().into())
                .unwrap_or_default(),
            honour: Honour::reached(honours, lifetime).map(honour_message),
            next_honour: Honour::next(honours, lifetime).map(honour_message),
            history: Vec::new(),
            next_page_token: String::new(),
            tree_size: head.row.size,
        })
    }
}

/// The set of the last award, if there was one.
fn last_set(wallet: &Wallet) -> Result<Option<Digest32>, Status> {
    for record in wallet.records.iter().rev() {
        let chunk = wallet.archive.head.snapshot.chunk(record.index);
        let chunk = chunk.map_err(|error| failed(&error))?;
        let bytes = envelope(&chunk, record.index).map_err(|error| failed(&error))?;
        let message = canonical::<v1::Envelope>(bytes).unwrap_or_default();
        if let Ok(hash) = digest(&message.rule_set_hash) {
            return Ok(Some(hash));
        }
    }
    Ok(None)
}

fn record(record: &Moved) -> v1::PointsRecord {
    v1::PointsRecord {
        leaf_index: record.index.0,
        deposited_at_ms: record.at_ms,
        movements: record.entries.iter().map(movement).collect(),
    }
}
