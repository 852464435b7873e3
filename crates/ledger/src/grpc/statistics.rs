//! `StatisticsService`: figures for the operator, yearbooks for everybody.

use std::collections::BTreeSet;
use std::sync::Arc;

use creditbank_domain::Refusal;
use creditbank_domain::record::Role;
use creditbank_domain::registry::{InstitutionNumber, Registry};
use creditbank_domain::statistics::{Cell, Table, Yearbook};
use creditbank_wire::convert::statistics::{population, row_message, yearbook_message};
use creditbank_wire::v1;
use creditbank_wire::v1::statistics_service_server::StatisticsService;
use tonic::{Request, Response, Status};

use super::{Services, carried, failed, refuse, refuse_all};
use crate::clock;
use crate::statistics::{NotMade, yearbooks};

#[tonic::async_trait]
impl StatisticsService for Services {
    async fn list_yearbooks(
        &self,
        _: Request<v1::ListYearbooksRequest>,
    ) -> Result<Response<v1::ListYearbooksResponse>, Status> {
        let found = self.yearbooks()?;
        let listed = found
            .iter()
            .map(|it| yearbook_message(it, Vec::new(), true));
        Ok(Response::new(v1::ListYearbooksResponse {
            yearbooks: listed.collect(),
        }))
    }

    async fn get_yearbook(
        &self,
        request: Request<v1::GetYearbookRequest>,
    ) -> Result<Response<v1::Yearbook>, Status> {
        let year = request.into_inner().year;
        let found = self.yearbooks()?.into_iter();
        let mut found = found.filter(|it| u32::from(it.year) == year);
        let yearbook = found
            .next()
            .ok_or_else(|| refuse(Refusal::YearbookUnknown, "year"))?;
        Ok(Response::new(self.message(&yearbook)))
    }

    async fn get_figures(
        &self,
        request: Request<v1::GetFiguresRequest>,
    ) -> Result<Response<v1::Figures>, Status> {
        self.caller(&request, &[Role::Operator, Role::Auditor])?;
        let year = year(request.into_inner().year)?;
        let bank = Arc::clone(&self.bank);
        let read = tokio::task::spawn_blocking(move || {
            bank.fold_statistics()?;
            let snapshot = bank.store().snapshot();
            let folded = snapshot.statistics_folded()?;
            snapshot
                .figures(Some(year))
                .map(|figures| (folded, figures))
        });
        let read = read.await.map_err(|_| refuse(Refusal::Internal, ""))?;
        let (tree_size, figures) = read.map_err(|error| failed(&error))?;
        let registry = &self.bank.head().registry;
        Ok(Response::new(v1::Figures {
            tree_size,
            institutions: names(registry, figures.iter().map(|(cell, _)| cell)),
            rows: figures
                .iter()
                .map(|(cell, sums)| row_message(cell, sums))
                .collect(),
        }))
    }

    async fn publish_yearbook(
        &self,
        request: Request<v1::PublishYearbookRequest>,
    ) -> Result<Response<v1::Yearbook>, Status> {
        self.caller(&request, &[Role::Operator])?;
        let request = request.into_inner();
        let year = year(request.year)?;
        if i32::from(clock::today().year()) <= i32::from(year) {
            return Err(refuse(Refusal::YearbookOpen, "year"));
        }
        let population = request.population.map(population).transpose();
        let population = population
            .map_err(|fault| refuse_all(&[fault.within("population")]))?
            .unwrap_or_default();
        let bank = Arc::clone(&self.bank);
        let publish = async move {
            tokio::task::spawn_blocking(move || bank.publish_yearbook(year, population)).await
        };
        let made = carried(publish).await?;
        let made = made.map_err(|_| refuse(Refusal::Internal, ""))?;
        let yearbook = made.map_err(|error| match error {
            NotMade::Refused(refusal) => refuse(refusal, "year"),
            NotMade::Store(error) => failed(&error),
        })?;
        Ok(Response::new(self.message(&yearbook)))
    }
}

impl Services {
    fn yearbooks(&self) -> Result<Vec<Yearbook>, Status> {
        let snapshot = self.bank.store().snapshot();
        yearbooks(&snapshot).map_err(|error| failed(&error))
    }

    fn message(&self, yearbook: &Yearbook) -> v1::Yearbook {
        let registry = &self.bank.head().registry;
        let names = names(registry, yearbook.rows.iter().map(|row| &row.cell));
        yearbook_message(yearbook, names, false)
    }
}

fn year(year: u32) -> Result<u16, Status> {
    let year = u16::try_from(year).ok().filter(|year| *year <= 9999);
    year.ok_or_else(|| refuse(Refusal::NotADate, "year"))
}

/// Names of the institutions in some cells.
fn names<'a>(
    registry: &Registry,
    cells: impl Iterator<Item = &'a Cell>,
) -> Vec<v1::InstitutionName> {
    let numbers = cells.filter(|cell| cell.table == Table::Institution);
    let numbers: BTreeSet<u32> = numbers.map(|cell| cell.b).collect();
    let named = numbers.into_iter().filter_map(|number| {
        let profile = &registry.by_number(InstitutionNumber(number))?.profile;
        Some(v1::InstitutionName {
            number,
            id: profile.id.as_str().to_owned(),
            display_name: profile.display_name.clone(),
        })
    });
    named.collect()
}
