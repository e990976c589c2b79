//! Which request is due first, and when the next one is.

use super::{Asked, COUNT_EVERY_MS, Engine};
use crate::peer::{Method, PAGE, Request, State};

impl Engine {
    /// The request that is due first: what stands still before what goes on, the live before the past.
    pub(super) fn request(&mut self, now: i64) -> Option<(Asked, Request)> {
        let after = self.served;
        let ids: Vec<i64> = self.chats.range(after.saturating_add(1)..).map(|(id, _)| *id).collect();
        let ids: Vec<i64> = ids.into_iter().chain(self.chats.range(..=after).map(|(id, _)| *id)).collect();
        if self.reads_basic_groups()
            && let Some(found) = self.account_request(now)
        {
            return Some(found);
        }
        for is_past in [false, true] {
            for id in &ids {
                let found = self.chat_request(*id, is_past, now);
                if let Some((asked, request)) = found
                    && self.line.free_at(request.method()) <= now
                {
                    self.served = *id;
                    return Some((asked, request));
                }
            }
        }
        None
    }

    fn account_request(&mut self, now: i64) -> Option<(Asked, Request)> {
        let is_silent = now - self.account_checked_at >= self.plan.silence_ms;
        let (asked, request) = match self.account {
            None => {
                let places = self.readable_groups(now);
                if places.is_empty() || places.iter().any(|place| self.doubted.contains(&place.chat)) {
                    return None;
                }
                (Asked::Stand, Request::Dialogs(places))
            }
            Some(State { pts, qts, date }) if is_silent || self.account_order.is_behind(now) => {
                (Asked::Account, Request::Difference { pts, qts, date })
            }
            Some(_) => return None,
        };
        if self.line.free_at(request.method()) > now {
            return None;
        }
        self.account_order.miss();
        Some((asked, request))
    }

    fn chat_request(&mut self, id: i64, is_past: bool, now: i64) -> Option<(Asked, Request)> {
        let silence = self.plan.silence_ms;
        let chat = self.chats.get_mut(&id).filter(|chat| chat.lost_until <= now)?;
        let place = chat.link.place;
        let page = |offset_id: i64| Request::History {
            place,
            offset_id: offset_id + 1,
            offset_date: 0,
            add_offset: -PAGE,
            limit: PAGE,
        };
        if is_past {
            let import = chat.state.import.as_ref().filter(|_| chat.page_at <= now)?;
            if let Some(last) = import.last {
                return Some((Asked::Import(id), page(last)));
            }
            let offset_date = chat.link.history_from.unwrap_or(0) / 1000;
            let request = Request::History { place, offset_id: 0, offset_date, add_offset: 0, limit: 1 };
            return Some((Asked::ImportStart(id), request));
        }
        if self.doubted.contains(&id) {
            return Some((Asked::Begin(id), Request::Dialogs(vec![place])));
        }
        if let Some(fill) = &chat.state.fill {
            return Some((Asked::Fill(id), page(fill.last)));
        }
        if !chat.state.has_begun || (place.is_channel() && chat.state.pts.is_none()) {
            return Some((Asked::Begin(id), Request::Dialogs(vec![place])));
        }
        let pts = chat.state.pts.filter(|_| place.is_channel())?;
        let is_silent = now - chat.checked_at >= silence;
        (is_silent || chat.order.is_behind(now)).then(|| {
            chat.order.miss();
            (Asked::Channel(id), Request::ChannelDifference { place, pts })
        })
    }

    /// When something is due next.
    pub(super) fn due(&self, now: i64) -> i64 {
        let mut due = vec![now + self.plan.silence_ms];
        if self.has_moved() {
            due.push(self.given_at + COUNT_EVERY_MS);
        }
        let free = |method| self.line.free_at(method);
        for (id, chat) in &self.chats {
            let readable_at = chat.lost_until;
            let is_channel = chat.link.place.is_channel();
            due.extend(chat.sought_at());
            due.extend(chat.mark_at(now).filter(|at| *at > now));
            if chat.state.import.is_some() {
                due.push(chat.page_at.max(free(Method::History)).max(readable_at));
            }
            if self.doubted.contains(id) {
                due.push(free(Method::Dialogs).max(readable_at));
            } else if chat.state.fill.is_some() {
                due.push(free(Method::History).max(readable_at));
            } else if !chat.state.has_begun || (is_channel && chat.state.pts.is_none()) {
                due.push(free(Method::Dialogs).max(readable_at));
            } else if is_channel {
                let at = if chat.order.is_behind(now) { now } else { chat.checked_at + self.plan.silence_ms };
                let at = chat.order.due().map_or(at, |gap| gap.min(at));
                due.push(at.max(free(Method::ChannelDifference)).max(readable_at));
            }
        }
        if self.reads_basic_groups() {
            let at = match self.account {
                None => {
                    let readable_at = self.basic_groups().map(|chat| chat.lost_until).min();
                    free(Method::Dialogs).max(readable_at.unwrap_or(0))
                }
                Some(_) if self.account_order.is_behind(now) => free(Method::Difference),
                Some(_) => {
                    let silent_at = self.account_checked_at + self.plan.silence_ms;
                    let at = self.account_order.due().map_or(silent_at, |gap| gap.min(silent_at));
                    at.max(free(Method::Difference))
                }
            };
            due.push(at);
        }
        due.into_iter().min().unwrap_or(now).max(now + 1)
    }
}
