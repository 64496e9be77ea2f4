"""The rules of the protocol, as switches: all are on in the engine; a mutation leaves one out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Protocol:
    # Redis Cluster: what spans slots is split into steps.
    cluster: bool = False

    # Join, bind and leave check that their node is registered under the token they carry.
    fence: bool = True
    # Each registration has a token of its own, so that what an older connection still delivers is
    # refused; otherwise the token lives as long as the node.
    token_per_registration: bool = True
    # The scripts of a clean-up check that the claim is still the cleaner's.
    claim_fence: bool = True
    # A node that finds the claim on itself abandoned cleans up for itself.
    clean_up_for_oneself: bool = True
    # Nodes judge others only when everyone has had time to renew since Redis was away.
    judge_rule: bool = True

    # News of a room waits while a join or bind of ours in it is under way.
    hold_news: bool = True
    # A node knows who is elsewhere: news of whom it knows, or of leavers that it does not, is none.
    known_elsewhere: bool = True
    # News that is older than an answer about its room does not undo it: who joined and is not known
    # has left since, and who left but is in the answer has come back.
    stamps: bool = True
    # News that seems to be older makes the node check: Redis's clock may have been put back.
    late_news_checks: bool = True
    # A join's answer tells the other sockets of its node of members that the node did not know.
    join_answer_tells: bool = True
    # A socket that is bound again is news to the others if Redis did not have it.
    bind_tells: bool = True

    # A node that may have missed messages checks, too, not only one that has registered.
    check_after_a_gap: bool = True
    # The first pass takes out what the index has and the node has not...
    check_takes_out: bool = True
    # ... but spares sockets whose join is under way.
    spare_joins: bool = True
    # Members that the node did not know are told of.
    check_tells: bool = True
    # The second pass takes members for gone that Redis does not have...
    second_pass: bool = True
    # ... and waits until all others had time for their first.
    grace: bool = True

    # Who takes another node's socket out hears of it like everyone else, over the bus.
    evictor_hears_of_it: bool = True
    # A socket that has been taken out by another node leaves, too, lest it was bound again since.
    evicted_leave: bool = True
    # A socket whose last join had no answer is news in any case when it joins again.
    doubtful_rejoin: bool = True

    # Cluster: a room knows the last registration of each node that had sockets there, and whether
    # it was cleaned up; what comes of that one or of earlier ones is refused.
    room_fence: bool = True
    # Cluster: an index is set aside only for the registration that was given up.
    claim_names_token: bool = True
    # Cluster: an operation ends when the index has been written.
    turn_ends_with_index: bool = True
    # Cluster: the binds of a check take turns with the operations of the same socket.
    bind_takes_turns: bool = True

    # Cluster: both steps of a join carry the token of the first; when the node has registered again
    # since, it begins anew.
    join_keeps_its_token: bool = True
    # Cluster: a leave, too, lets its room know of its node's registration (the last that was
    # answered: the room must not know of one before those before it have been cleaned up after).
    leave_is_recorded: bool = True
    # Cluster: the index of a socket that another node takes out is left to its own node.
    evictor_spares_index: bool = True
    # Cluster: what takes a socket out of the index checks the registration, as what puts it there.
    unlist_fence: bool = True
    # Cluster: an answer that found the socket itself missing is no reason to call others gone.
    final_if_known: bool = True


ENGINE = Protocol()
