//! Points of a learner.

use creditbank_client::{ClientError, points};
use creditbank_wire::v1;

use crate::app::App;

impl App {
    /// What a learner has, and a page of the history; honours are those of the set of the last award.
    pub(crate) async fn purse(
        &self,
        learner: &str,
        page_size: u32,
        page_token: String,
    ) -> Result<v1::Purse, ClientError> {
        let request = v1::GetPointsRequest {
            learner: learner.to_owned(),
            page_size,
            page_token,
            ..Default::default()
        };
        points::purse(&self.bank, request).await
    }
}
