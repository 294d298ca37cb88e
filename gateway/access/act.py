"""The one act of calls, polls and registrations: in the name of an instance, send a request and say what came of it."""

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from gateway.access.marks import Marks
from gateway.access.tokens import TokenKeeper
from gateway.calls.grants import Denied
from gateway.calls.model import Access, Arguments, Rendered
from gateway.calls.perform import Called, Calls, Manner, Unsent
from gateway.calls.render import rendered
from gateway.catalogue.call_model import Method
from gateway.instances.index import InstanceIndex
from gateway.instances.view import InstanceView
from gateway.runtime import Runtime

__all__ = ["Called", "Manner", "Unsent", "Vendors"]


class Vendors:
    """Calls vendors for this node."""

    def __init__(self, runtime: Runtime, index: InstanceIndex) -> None:
        self._index = index
        self.calls = Calls(runtime.vendors)
        self.tokens = TokenKeeper(runtime, index, self.calls)
        self._marks = Marks(runtime, index)

    def act(
        self,
        view: InstanceView,
        method: Method,
        arguments: Arguments,
        manner: Manner,
        *,
        upload: AsyncIterable[bytes] | None = None,
    ) -> AbstractAsyncContextManager[Called | Unsent]:
        """One method with a caller's arguments; Invalid where they do not fit."""
        call = rendered(Access(connector=view.connector, config=view.config), method, arguments)
        return self.send(view, call, manner, upload=upload)

    @asynccontextmanager
    async def send(
        self, view: InstanceView, call: Rendered, manner: Manner, *, upload: AsyncIterable[bytes] | None = None
    ) -> AsyncIterator[Called | Unsent]:
        """A rendered call; credentials that the vendor refuses are renewed or read anew once."""
        failed: str | None = None
        first = True
        while True:
            access = await self.tokens.access(view, failed=failed)
            if isinstance(access, Denied):
                yield Unsent("no_credentials" if access.kind == "reauth" else "unreachable", access.message)
                return
            async with self.calls.made(access, call, manner, upload=upload) as outcome:
                newer = await self._learnt(view, access, outcome, first=first)
                if newer is None or upload is not None:
                    yield outcome
                    return
            view, failed, first = newer, access.token, False

    async def close(self) -> None:
        """Wait for logins that run."""
        await self.tokens.close()

    async def _learnt(
        self, view: InstanceView, access: Access, outcome: Called | Unsent, *, first: bool
    ) -> InstanceView | None:
        """Note what an answer says of the credentials; the view to call with again, where that may help."""
        if not isinstance(outcome, Called):
            return None
        if outcome.verdict.kind == "ok":
            await self._marks.worked(view, by_login=access.token is not None)
            return None
        if outcome.verdict.kind != "reauth":
            return None
        said = outcome.verdict.message or f"status {outcome.status}"
        if access.token is None:
            newer = await self._marks.refused(view, access, said)
            return newer if first else None
        if first and self.tokens.helps(view.instance.id):
            # Waited for here, so that the next call has it even where this one cannot be sent again.
            found = await self.tokens.access(view, failed=access.token)
            return view if isinstance(found, Denied) else await self._index.by_id(view.instance.id) or view
        self.tokens.refuses_fresh(view.instance.id)
        await self._marks.refused(view, access, said)
        return None
