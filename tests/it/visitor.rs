//! Somebody at the portal who does more than sign in for an app: visits the portal itself, leaves
//! boxes unticked, arrives by a form.

use crate::portal::{Form, read_form};
use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use satchel_mock::population::Account;
use url::Url;

fn browser() -> reqwest::Client {
    let browser = reqwest::Client::builder().redirect(Policy::none());
    browser.build().expect("a browser")
}

/// Signs in for an app and approves all scopes but those with `left_out` in them.
pub(crate) async fn approve_without(address: &str, account: &Account, left_out: &str) -> String {
    let url = Url::parse(address).expect("the authorization URL");
    let answer = browser().get(url.clone()).send().await.expect("the portal");
    go_on(answer, url, account, left_out).await
}

/// Signs in for an app that sent the browser here by a form; approves everything.
pub(crate) async fn arrive_by(form: Form, account: &Account) -> String {
    let post = browser().post(form.action.clone()).form(&form.fields);
    let answer = post.send().await.expect("the portal");
    go_on(answer, form.action, account, "(nothing)").await
}

async fn go_on(
    mut answer: reqwest::Response,
    url: Url,
    account: &Account,
    left_out: &str,
) -> String {
    let cookie = answer.headers()[SET_COOKIE].to_str().expect("a cookie");
    let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    for _ in 0..5 {
        if let Some(location) = answer.headers().get(LOCATION) {
            return location.to_str().expect("an address").to_owned();
        }
        let page = answer.text().await.expect("a page");
        let mut form = read_form(&page, &url);
        let kept = |name: &str, value: &str| name != "scope" || !value.contains(left_out);
        form.fields.retain(|(name, value)| kept(name, value));
        for (name, value) in [
            ("username", account.username.as_str()),
            ("password", &account.password),
            ("approve", "yes"),
        ] {
            if page.contains(&format!("name=\"{name}\"")) {
                form.fields.push((name.into(), value.into()));
            }
        }
        let post = browser().post(form.action).form(&form.fields);
        let sent = post.header("Cookie", &cookie).send().await;
        answer = sent.expect("the portal answers");
    }
    panic!("the portal never came to an end");
}

/// Somebody signed in at the portal itself, without any app.
pub(crate) struct Visitor {
    portal: String,
    cookie: String,
}

impl Visitor {
    pub(crate) async fn sign_in(issuer: &str, account: &Account) -> Self {
        let portal = format!("{}/portal", issuer.trim_end_matches('/'));
        let form = [
            ("username", &account.username),
            ("password", &account.password),
        ];
        let request = browser().post(format!("{portal}/sign-in")).form(&form);
        let answer = request.send().await.expect("the portal answers");
        let cookie = answer.headers()[SET_COOKIE].to_str().expect("a cookie");
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Self { portal, cookie }
    }

    pub(crate) async fn home(&self) -> String {
        let request = browser().get(&self.portal).header("Cookie", &self.cookie);
        let answer = request.send().await.expect("the portal answers");
        answer.text().await.expect("a page")
    }

    /// Presses a button of the portal; gives where the browser is sent.
    pub(crate) async fn press(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let home = self.home().await;
        let csrf = home.split("name=\"csrf\" value=\"").nth(1);
        let csrf = csrf.expect("a form").split('"').next().unwrap_or_default();
        let mut form = vec![("csrf", csrf)];
        form.extend(fields);
        let request = browser().post(format!("{}{path}", self.portal)).form(&form);
        let request = request.header("Cookie", &self.cookie);
        let answer = request.send().await.expect("the portal answers");
        let location = answer.headers().get(LOCATION).expect("a redirect");
        location.to_str().expect("an address").to_owned()
    }
}
