//! Statistics (统计): figures for the operator, yearbooks for everybody.

use creditbank_domain::statistics::{Population, Yearbook};
use creditbank_wire::convert::statistics::{population_message, yearbook};
use creditbank_wire::v1;

use crate::connection::{Bank, Line};
use crate::failure::ClientError;

/// The figures of a year as they are now, with nothing suppressed.
///
/// # Errors
/// If the caller may not ask, or the bank could not be reached.
pub async fn figures(bank: &Bank, year: u16) -> Result<v1::Figures, ClientError> {
    let request = v1::GetFiguresRequest { year: year.into() };
    let send = |line: Line, request| async move { line.statistics().get_figures(request).await };
    bank.call(request, send).await
}

/// Publishes the yearbook of a year, once. Operators.
///
/// # Errors
/// If it was published, the year is not over, the caller may not, or the bank could not be reached.
pub async fn publish(
    bank: &Bank,
    year: u16,
    population: Option<&Population>,
) -> Result<v1::Yearbook, ClientError> {
    let request = v1::PublishYearbookRequest {
        year: year.into(),
        population: population.map(population_message),
    };
    let send =
        |line: Line, request| async move { line.statistics().publish_yearbook(request).await };
    bank.call(request, send).await
}

/// The yearbooks that were published, without their tables.
///
/// # Errors
/// If the bank could not be reached.
pub async fn list(bank: &Bank) -> Result<Vec<v1::Yearbook>, ClientError> {
    let send = |line: Line, request| async move { line.statistics().list_yearbooks(request).await };
    let listed = bank.call(v1::ListYearbooksRequest {}, send).await?;
    Ok(listed.yearbooks)
}

/// One yearbook, as it came and read; its bytes are what its hash says.
///
/// # Errors
/// If there is none, it is not what it says, or the bank could not be reached.
pub async fn get(bank: &Bank, year: u16) -> Result<(v1::Yearbook, Yearbook), ClientError> {
    let request = v1::GetYearbookRequest { year: year.into() };
    let send = |line: Line, request| async move { line.statistics().get_yearbook(request).await };
    let message = bank.call(request, send).await?;
    let read = yearbook(&message)
        .map_err(|_| ClientError::Contract("a yearbook is not what its hash says"))?;
    Ok((message, read))
}
