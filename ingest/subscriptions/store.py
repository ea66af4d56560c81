"""Who wants no mails, kept in the schedules."""

from datetime import datetime
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from ingest.activity.store import ActivityStore
from ingest.auth.rules import stranger
from ingest.deliveries.rules import cancelled
from ingest.subscriptions import rules
from ingest.transactions import transact_until_done
from stockverify import unsubscribe
from stockverify.clients import Document
from stockverify.unsubscribe import Subscription
from stockverify.vocabulary import Action, Collection, DeliveryKind, DeliveryState


class SubscriptionStore:
    """Reads and writes subscriptions by the links that were mailed."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: AsyncDatabase[Document],
        activity: ActivityStore,
        secret: str,
    ) -> None:
        self._client, self._activity, self._key = client, activity, unsubscribe.key_of(secret)
        self._schedules, self._deliveries = database[Collection.SCHEDULES], database[Collection.DELIVERIES]

    async def page(self, token: str) -> str:
        """How it stands. Raises TokenWrong or ScheduleGone."""
        subscription = unsubscribe.read(token, self._key)
        return rules.page(await self._schedule(subscription), subscription, token)

    async def stop(self, token: str, now: datetime) -> str:
        """No more mails of this schedule to this address; those that wait are cancelled. Raises as `page` does."""
        subscription = unsubscribe.read(token, self._key)
        await self._changed(subscription, "$addToSet", Action.UNSUBSCRIBED, now)
        await self._cancel(subscription, now)
        return await self.page(token)

    async def resume(self, token: str, now: datetime) -> str:
        """Mails again, from the next one on. Raises as `page` does."""
        await self._changed(unsubscribe.read(token, self._key), "$pull", Action.RESUBSCRIBED, now)
        return await self.page(token)

    async def _changed(self, subscription: Subscription, how: str, action: Action, now: datetime) -> None:
        """Twice is as good as once, and is noted once."""
        who = stranger(username=subscription.address)

        async def write(transaction: AsyncClientSession) -> None:
            change: Any = {how: {"unsubscribed": subscription.address}}
            named = {"_id": subscription.schedule_id}
            written = await self._schedules.update_one(named, change, session=transaction)
            if written.modified_count:
                await self._activity.note(action, who, subscription.schedule_id, now, transaction)

        await transact_until_done(self._client, write)

    async def _cancel(self, subscription: Subscription, now: datetime) -> None:
        waiting = {
            "schedule_id": subscription.schedule_id,
            "recipient_key": subscription.address,
            "state": DeliveryState.QUEUED.value,
            "kind": DeliveryKind.REPORT.value,
        }
        await self._deliveries.update_many(waiting, cancelled("Unsubscribed.", now))

    async def _schedule(self, subscription: Subscription) -> Document:
        schedule = await self._schedules.find_one({"_id": subscription.schedule_id}, {"name": 1, "unsubscribed": 1})
        if schedule is None:
            raise rules.ScheduleGone()
        return schedule
