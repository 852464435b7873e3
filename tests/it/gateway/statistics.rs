//! Public statistics: everybody reads yearbooks, in both languages, and what is suppressed is on no page.

use creditbank_client::statistics;
use creditbank_domain::statistics::{Population, Yearbook};

use super::fixture::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn everybody_reads_yearbooks_and_nobody_finds_a_small_cell() {
    let mut scene = Scene::new().await;
    let mut browser = scene.browser();
    assert!(
        browser
            .get("/statistics")
            .is(200)
            .text()
            .contains("尚未发布年鉴")
    );
    for nothing in ["2024", "20x4", "99999", "2024/city", "2024/yearbook.csv"] {
        let page = browser.get(&format!("/statistics/{nothing}")).is(404);
        assert!(page.text().contains("<html"), "a page: {nothing}");
    }
    // Two learners of the scene make a category of their own; twelve more are enough to publish.
    let mut records = Vec::new();
    for number in 0..12 {
        let learner = scene.fudan.enrol(&format!("more/{number}")).await;
        let mut outcome = crate::institution::course(&number.to_string());
        outcome.completed_on = "2023-06-30".into();
        let key = format!("more/{number}");
        records.push(scene.fudan.maker.outcome(key.as_bytes(), learner, outcome));
    }
    scene.fudan.deposit(&scene.bank, records).await;
    let population = Population {
        source: "<b>人口普查</b>".into(),
        dated: "2020-11-01".into(),
        residents: [(0, 24_000)].into(),
    };
    let operator = scene.bank.operator().await;
    for year in [2023, 2024] {
        statistics::publish(&operator, year, Some(&population))
            .await
            .unwrap();
    }
    // The list of years is kept for a minute.
    scene.stop();
    scene.start("", &["--listen", "127.0.0.1:0", "--development-login"]);
    let mut browser = scene.browser();
    let listed = browser.get("/statistics").is(200).text();
    assert!(
        listed.contains("/statistics/2023") && listed.contains("/statistics/2024"),
        "{listed}"
    );
    let page = browser.get("/statistics/2023").is(200).text();
    assert!(
        page.contains("学历教育课程") && page.contains("<svg class=\"bars\""),
        "{page}"
    );
    assert!(!page.contains("style="), "no style of its own");
    // Two learners are too few to publish anything of their year.
    let few = browser.get("/statistics/2024").is(200).text();
    assert!(
        few.contains("人数过少") && !few.contains("class=\"bars\""),
        "{few}"
    );
    let city = browser.get("/statistics/2023/city").is(200).text();
    assert!(
        city.contains("&lt;b&gt;") || city.contains("&#60;b&#62;"),
        "{city}"
    );
    assert!(city.contains(">5<"), "12 of 24,000 are 5 in 10,000: {city}");
    let own = browser.get("/statistics/institutions/fudan").is(200).text();
    assert!(own.contains(">2023<") && !own.contains(">2024<"), "{own}");
    browser.get("/statistics/institutions/nobody").is(404);
    let english = browser
        .with("Accept-Language", "en")
        .get("/statistics/2023")
        .is(200)
        .text();
    assert!(
        english.contains("Degree course") && english.contains("Learners"),
        "{english}"
    );
    let csv = browser.get("/statistics/2023/yearbook.csv").is(200).text();
    assert!(
        csv.starts_with("\u{feff}年度,") && csv.contains(",学习人数,人,12,"),
        "{csv}"
    );
    assert!(csv.contains("<b>人口普查</b>"), "text, not HTML: {csv}");
    let bytes = browser.get("/statistics/2023/yearbook.bin").is(200);
    let yearbook = Yearbook::decode(&bytes.body).unwrap();
    let hex: String = yearbook
        .hash()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(page.contains(&hex), "the page names the bytes");
}
