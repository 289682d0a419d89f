-- The operators' views: the same names and columns on both databases, times here as ISO 8601 text in UTC.
-- Made anew by `ponte migrate` whenever this file changes; docs/sql.md explains them with examples.

drop view if exists outbox;
drop view if exists outbox_status;
drop view if exists outbox_backlog;
drop view if exists outbox_dead;
drop view if exists funnel_daily;
drop view if exists pool_performance;

-- Events as one table, though they lie in two. Rows that ask for nothing of `outbox_events` are found without it.
create view outbox as
select progress.id, progress.destination, progress.route, progress.event_name, event.event_id, progress.pool_id,
  event.tracking_token, event.payment_id, event.bot_user_id, event.payload, progress.status, progress.attempts,
  progress.available_at, progress.lease_until, progress.lease_id, progress.last_error, progress.fbtrace_id,
  progress.created_at, progress.delivered_at
from outbox_progress progress left join outbox_events event on event.id = progress.id;

-- An operator's own SQL may change it as if it were a table.
create trigger outbox_insert instead of insert on outbox begin
  insert into outbox_events (id, destination, event_id, tracking_token, payment_id, bot_user_id, payload)
  values (new.id, new.destination, new.event_id, new.tracking_token, new.payment_id, new.bot_user_id, new.payload);
  -- Found by its key: with "insert or ignore" it may be another's that was there before.
  insert into outbox_progress (id, destination, route, event_name, pool_id, status, attempts, available_at, lease_until,
    lease_id, last_error, fbtrace_id, created_at, delivered_at)
  select id, new.destination, new.route, new.event_name, new.pool_id, coalesce(new.status, 'pending'),
    coalesce(new.attempts, 0), new.available_at, new.lease_until, new.lease_id, new.last_error, new.fbtrace_id,
    new.created_at, new.delivered_at
  from outbox_events where event_id = new.event_id and destination = new.destination;
end;
create trigger outbox_update_event
instead of update of id, destination, event_id, tracking_token, payment_id, bot_user_id, payload on outbox begin
  update outbox_events set id = new.id, destination = new.destination, event_id = new.event_id,
    tracking_token = new.tracking_token, payment_id = new.payment_id, bot_user_id = new.bot_user_id, payload = new.payload
  where id = old.id;
end;
create trigger outbox_update_progress
instead of update of id, destination, route, event_name, pool_id, status, attempts, available_at, lease_until, lease_id,
  last_error, fbtrace_id, created_at, delivered_at on outbox begin
  update outbox_progress set id = new.id, destination = new.destination, route = new.route, event_name = new.event_name,
    pool_id = new.pool_id, status = new.status, attempts = new.attempts, available_at = new.available_at,
    lease_until = new.lease_until, lease_id = new.lease_id, last_error = new.last_error, fbtrace_id = new.fbtrace_id,
    created_at = new.created_at, delivered_at = new.delivered_at
  where id = old.id;
end;
create trigger outbox_delete instead of delete on outbox begin
  delete from outbox_events where id = old.id;
  delete from outbox_progress where id = old.id;
end;

-- How many events are in which state. A branch for each status, so that asking for one reads that one's index only.
-- The index of what ended badly is found only where its own condition stands there word for word.
create view outbox_status as
with by_status as (
  select destination, pool_id, event_name, 'pending' as status, count(*) as events, min(created_at) as oldest, max(created_at) as newest
  from outbox_progress where status = 'pending' group by destination, pool_id, event_name
  union all
  select destination, pool_id, event_name, 'sending' as status, count(*) as events, min(created_at) as oldest, max(created_at) as newest
  from outbox_progress where status = 'sending' group by destination, pool_id, event_name
  union all
  select destination, pool_id, event_name, 'delivered' as status, count(*) as events, min(created_at) as oldest, max(created_at) as newest
  from outbox_progress where status = 'delivered' group by destination, pool_id, event_name
  union all
  select destination, pool_id, event_name, 'dead' as status, count(*) as events, min(created_at) as oldest, max(created_at) as newest
  from outbox_progress where status in ('dead', 'expired', 'discarded') and status = 'dead' group by destination, pool_id, event_name
  union all
  select destination, pool_id, event_name, 'expired' as status, count(*) as events, min(created_at) as oldest, max(created_at) as newest
  from outbox_progress where status in ('dead', 'expired', 'discarded') and status = 'expired' group by destination, pool_id, event_name
  union all
  select destination, pool_id, event_name, 'discarded' as status, count(*) as events, min(created_at) as oldest, max(created_at) as newest
  from outbox_progress where status in ('dead', 'expired', 'discarded') and status = 'discarded' group by destination, pool_id, event_name)
select by_status.destination, pools.slug as pool, by_status.event_name, by_status.status, by_status.events,
  strftime('%Y-%m-%dT%H:%M:%fZ', by_status.oldest / 1000.0, 'unixepoch') as oldest_created_at, strftime('%Y-%m-%dT%H:%M:%fZ', by_status.newest / 1000.0, 'unixepoch') as newest_created_at
from by_status left join pools on pools.id = by_status.pool_id;

-- Every route with something waiting or in trouble, and why it waits. A pixel or a bot that is to slow down holds its
-- other routes (`<id>/...`) back as well. No rest is longer than two minutes: one that is was begun by a clock that was
-- ahead, and is over.
create view outbox_backlog as
with clock as (
  -- So that an older sqlite3 knows it too: to Debian 12's, unixepoch('subsec') is null.
  select cast((julianday('now') - 2440587.5) * 86400000 as integer) as now_ms
), waiting as (
  select destination, route, count(*) as waiting, sum(case when available_at <= (select now_ms from clock) then 1 else 0 end) as due,
    min(created_at) as oldest, min(available_at) as next
  from outbox_progress where status = 'pending' group by destination, route
), sending as (
  select destination, route, count(*) as sending, min(created_at) as oldest
  from outbox_progress where status = 'sending' group by destination, route
), routes as (
  select destination, route from waiting union select destination, route from sending
  union select destination, route from outbox_routes
  where paused_at is not null or failures > 0 or throttled_until > (select now_ms from clock)
), backlog as (
  select routes.destination, routes.route, coalesce(w.waiting, 0) as waiting, coalesce(w.due, 0) as due,
    coalesce(s.sending, 0) as sending, w.next,
    case when w.oldest is null or s.oldest < w.oldest then s.oldest else w.oldest end as oldest,
    case when r.throttled_until is null or account.throttled_until > r.throttled_until then account.throttled_until
      else r.throttled_until end as throttled_until, r.paused_at, r.paused_reason, r.open_until, r.failures
  from routes
  left join waiting w on w.destination = routes.destination and w.route = routes.route
  left join sending s on s.destination = routes.destination and s.route = routes.route
  left join outbox_routes r on r.destination = routes.destination and r.route = routes.route
  left join outbox_routes account on account.destination = routes.destination
    and account.route = substr(routes.route, 1, instr(routes.route || '/', '/') - 1)
)
select b.destination, b.route, case when b.paused_at is not null then 'paused' when b.throttled_until > (select now_ms from clock) then 'throttled'
    when b.open_until > (select now_ms from clock) and b.open_until <= (select now_ms from clock) + 120000 then 'resting' else 'ready' end as state,
  b.waiting, b.due, b.sending, strftime('%Y-%m-%dT%H:%M:%fZ', b.oldest / 1000.0, 'unixepoch') as oldest_created_at, ((select now_ms from clock) - b.oldest) / 1000 as oldest_age_seconds,
  strftime('%Y-%m-%dT%H:%M:%fZ', b.next / 1000.0, 'unixepoch') as next_at, strftime('%Y-%m-%dT%H:%M:%fZ', b.paused_at / 1000.0, 'unixepoch') as paused_at, b.paused_reason,
  strftime('%Y-%m-%dT%H:%M:%fZ', b.throttled_until / 1000.0, 'unixepoch') as throttled_until, strftime('%Y-%m-%dT%H:%M:%fZ', b.open_until / 1000.0, 'unixepoch') as open_until, coalesce(b.failures, 0) as failures
from backlog b;

-- Events that will not be sent unless somebody retries them, with the other side's own words.
create view outbox_dead as
select o.id, o.destination, o.route, pools.slug as pool, o.event_name, o.event_id, o.status, o.last_error, o.attempts,
  o.fbtrace_id, o.tracking_token, o.payment_id, strftime('%Y-%m-%dT%H:%M:%fZ', o.created_at / 1000.0, 'unixepoch') as created_at, o.payload
from outbox o left join pools on pools.id = o.pool_id
where o.status in ('dead', 'expired', 'discarded') and o.status <> 'discarded';

-- What happened on each day (UTC), by pool; a null pool is what has none. Clicks reach as far back as retention
-- leaves visits, the rest to the beginning.
create view funnel_daily as
with happened as (
  select date(created_at / 1000, 'unixepoch') as day, pool_id, 'clicked' as state, cast(null as bigint) as amount_minor, cast(null as text) as currency from meta_tracking_sessions
  union all
  select date(created_at / 1000, 'unixepoch'), pool_id, state, null, null from funnel_states where state <> 'paid'
  union all
  select date(paid_at / 1000, 'unixepoch'), pool_id, 'paid', amount_minor, currency from payments where paid_at is not null
)
select h.day, pools.slug as pool, sum(case when state = 'clicked' then 1 else 0 end) as clicks, sum(case when state = 'started' then 1 else 0 end) as starts, sum(case when state = 'offer_viewed' then 1 else 0 end) as offer_views,
  sum(case when state = 'checkout_started' then 1 else 0 end) as checkouts, sum(case when state = 'paid' then 1 else 0 end) as paid, sum(case when state = 'delivered' then 1 else 0 end) as delivered, sum(case when state = 'refunded' then 1 else 0 end) as refunded,
  sum(case when state = 'blocked' then 1 else 0 end) as blocked,
  case when count(distinct h.currency) = 1 then sum(h.amount_minor) end as revenue_minor,
  case when count(distinct h.currency) > 1 then 'mixed' else min(h.currency) end as currency
from happened h left join pools on pools.id = h.pool_id
group by h.day, pools.slug;

-- Each pool over its whole life, from click to delivery, and what Meta has heard of it. Retention removes visits and events,
-- and no payments: those are compared with the visits that were counted, not with those that are left.
create view pool_performance as
with clicks as (
  select pool_id, count(*) as clicks, max(created_at) as last_click from meta_tracking_sessions group by pool_id
), steps as (
  select pool_id, sum(case when state = 'started' then 1 else 0 end) as starts, sum(case when state = 'checkout_started' then 1 else 0 end) as checkouts, sum(case when state = 'delivered' then 1 else 0 end) as delivered,
    sum(case when state = 'refunded' then 1 else 0 end) as refunded
  from funnel_states group by pool_id
), sales as (
  select pool_id, count(*) as paid,
    case when count(distinct currency) = 1 then sum(amount_minor) end as revenue_minor,
    case when count(distinct currency) > 1 then 'mixed' else min(currency) end as currency
  from payments where paid_at is not null group by pool_id
), reported as (
  select pool_id, sum(case when event_name = 'PageView' and status = 'delivered' then 1 else 0 end) as pageviews_delivered,
    sum(case when event_name = 'Purchase' and status = 'delivered' then 1 else 0 end) as purchases_delivered,
    sum(case when status in ('pending', 'sending') then 1 else 0 end) as events_waiting,
    sum(case when status in ('dead', 'expired') then 1 else 0 end) as events_dead
  from outbox_progress where destination = 'meta' group by pool_id
)
select pools.slug as pool, pools.name, pools.enabled, coalesce(pools.total_redirects, 0) as total_redirects,
  coalesce(c.clicks, 0) as clicks, coalesce(s.starts, 0) as starts, coalesce(s.checkouts, 0) as checkouts,
  coalesce(p.paid, 0) as paid, coalesce(s.delivered, 0) as delivered, coalesce(s.refunded, 0) as refunded,
  p.revenue_minor, p.currency, round(100.0 * coalesce(p.paid, 0) / nullif(pools.total_redirects, 0), 2) as paid_per_100_clicks,
  coalesce(e.pageviews_delivered, 0) as pageviews_delivered, coalesce(e.purchases_delivered, 0) as purchases_delivered,
  coalesce(e.events_waiting, 0) as events_waiting, coalesce(e.events_dead, 0) as events_dead,
  strftime('%Y-%m-%dT%H:%M:%fZ', c.last_click / 1000.0, 'unixepoch') as last_click_at
from pools
left join clicks c on c.pool_id = pools.id
left join steps s on s.pool_id = pools.id
left join sales p on p.pool_id = pools.id
left join reported e on e.pool_id = pools.id;
