/*
 * The collector of chords over AMQP: sender, workers, broker, owners, and whatever may break.
 *
 * One chord of two members. The collector's queue holds the manifest, the parts (the members' results) and, past the
 * deadline, a mark. The broker gives the queue to one owner at a time; whatever an owner has not acknowledged when its channel
 * goes goes back to its old place and to the next owner. An owner knows nothing but what the queue gave to it.
 *
 * What may go wrong (each a constant of the build, see check.sh):
 *   LOSSES   an owner dies at any step, or loses the queue without knowing it and goes on as if nothing had happened,
 *            or the broker restarts: so many times in all
 *   SENDER   the sender dies at any step
 *   REPEATS  a member runs again and reports again: so many times
 *   STALE    a second copy of the manifest comes in at any time while the chord waits (a publish without an answer, repeated)
 *   DEADLINE the deadline passes at some time
 *
 * Designs that are wrong, each of which has to fail: PARTS_FIRST, NO_CONFIRM, MEMBERS_FIRST, ACK_EARLY, ORPHANS_AT_ONCE,
 * LOCAL_DEADLINE, FRESH_ID, COUNTING, CANCEL, LATE_FORWARDS.
 */

#ifndef LOSSES
#define LOSSES 1
#endif
#ifndef REPEATS
#define REPEATS 0
#endif

#define OWNERS 2
#define SLOTS 8
#define ALL 3 /* both members, as a set */
#define BIT(i) (1 << (i))

mtype:message = { MANIFEST, PART, MARK };
mtype:publish = { BODY, ERROR, FORWARD, MARKER };

/* The queue: places in order of arrival. A place is ready, held by an owner's channel, or empty. */
mtype:message kind[SLOTS];
byte member[SLOTS];
byte tail;
byte ready;
byte held[OWNERS];
byte served; /* the owner that is served, from 1; 0 for none */
bit session[OWNERS];

/* What is on its way: deliveries, acknowledgements, and publishes of an owner. */
chan inbox[OWNERS] = [SLOTS] of { byte };
chan acks[OWNERS] = [SLOTS] of { byte };
chan out[OWNERS] = [4] of { mtype:publish, byte };
byte unconfirmed[OWNERS];
bit down[OWNERS]; /* the process has to begin anew */

/* The world. */
byte losses = LOSSES;
byte repeats = REPEATS;
bit announced;   /* the manifest is in the queue and the sender knows it */
byte sent;       /* members that are on their way to workers */
byte final;      /* members whose result is in the queue */
bit late;        /* the deadline has passed */
byte bodies;     /* 0, 1, or 2 for more */
byte errors;
byte forwarded;
byte bodyID;
bit senderDied;
bit waiting;     /* a second copy of the manifest is on its way */
bit excused;
byte parts;      /* how many are in the queue */

inline append(k, m) {
    d_step {
        assert(tail < SLOTS);
        kind[tail] = k;
        member[tail] = m;
        ready = ready | BIT(tail);
        tail++;
        if :: k == PART -> parts++ :: else fi
    }
}

inline lose(o) {
#ifdef STALE
    /*
     * What no owner can help: the second copy comes in after the chord has ended and its parts are gone, and whoever would
     * remember that is lost. It then waits for its deadline.
     */
    if
    :: bodies > 0 && parts < 2 -> excused = 1
    :: else
    fi;
#endif
    session[o] = 0;
    ready = ready | held[o];
    held[o] = 0;
    if :: served == o + 1 -> served = 0 :: else fi
}

inline clear(c) {
    do :: nempty(c) -> c?_ :: empty(c) -> break od
}

inline kill(o) {
    lose(o);
    clear(inbox[o]);
    clear(acks[o]);
    do :: nempty(out[o]) -> out[o]?_,_ :: empty(out[o]) -> break od;
    unconfirmed[o] = 0;
    down[o] = 1
}

inline receive(o) {
    out[o]?what,x;
    if
    :: what == BODY ->
        assert(final == ALL);  /* only after all members are final */
        assert(errors == 0);   /* one outcome */
        if :: bodies == 0 -> bodyID = x; bodies = 1 :: else -> assert(x == bodyID); bodies = 2 fi
    :: what == ERROR ->
        assert(bodies == 0);
        if :: errors < 2 -> errors++ :: else fi
    :: what == FORWARD -> forwarded = forwarded | BIT(x)
    :: what == MARKER -> append(MARK, 0)
    fi;
    unconfirmed[o]--
}

inline settle(o) {
    acks[o]?i;
    held[o] = held[o] & ~BIT(i);
    if :: kind[i] == PART -> parts-- :: else fi;
    i = 0
}

active proctype Broker() {
    byte i, x;
    mtype:publish what;
end:
    do
    /* deliver, in order */
    :: d_step {
        served != 0 && ready != 0 ->
        i = 0;
        do :: (ready & BIT(i)) == 0 -> i++ :: else -> break od;
        ready = ready & ~BIT(i);
        held[served - 1] = held[served - 1] | BIT(i);
        inbox[served - 1]!i;
        i = 0
       }
    /* settle */
    :: d_step { session[0] && nempty(acks[0]) -> settle(0) }
    :: d_step { session[1] && nempty(acks[1]) -> settle(1) }
    /* take a publish, keep it, confirm it */
    :: atomic { nempty(out[0]) -> receive(0); x = 0 }
    :: atomic { nempty(out[1]) -> receive(1); x = 0 }
    /* one of the consumers is served */
    :: atomic { served == 0 && session[0] -> served = 1 }
    :: atomic { served == 0 && session[1] -> served = 2 }
    od
}

inline part(p) {
    if
#ifdef COUNTING
    :: true ->
        count++;
        if :: count >= 2 -> have = ALL :: else fi;
        others = others | BIT(p)
#else
    :: failed || (have & BIT(member[p])) != 0 -> acks[o]!p /* it changes nothing any more */
    :: else ->
        have = have | BIT(member[p]);
#ifndef LATE_FORWARDS
        unconfirmed[o]++;
        out[o]!FORWARD,member[p];
#endif
#ifdef ACK_EARLY
        acks[o]!p
#else
        others = others | BIT(p)
#endif
#endif
    fi
}

proctype Owner(byte o) {
    byte i;
    byte manifests, others, orphans, have, count, s, id;
    bit failed, marked, remembered;
start:
    skip;
    d_step {
        manifests = 0; others = 0; orphans = 0; have = 0; count = 0; s = 0;
        failed = 0; marked = 0; remembered = 0;
        id = 0;
        clear(inbox[o]);
        clear(acks[o]);
        down[o] = 0;
        session[o] = 1
    }
    {
    end:
        do
        :: atomic {
            inbox[o]?s ->
            if
            :: kind[s] == MANIFEST && remembered -> acks[o]!s
            :: kind[s] == MANIFEST && !remembered ->
                manifests = manifests | BIT(s);
                /* the parts that came before it */
                i = 0;
                do
                :: i < SLOTS && (orphans & BIT(i)) == 0 -> i++
                :: i < SLOTS && (orphans & BIT(i)) != 0 -> orphans = orphans & ~BIT(i); part(i); i++
                :: i == SLOTS -> i = 0; break
                od
            :: kind[s] == PART && manifests == 0 ->
#ifdef ORPHANS_AT_ONCE
                acks[o]!s
#else
                orphans = orphans | BIT(s)
#endif
            :: kind[s] == PART && manifests != 0 -> part(s)
            :: kind[s] == MARK ->
                if
                :: manifests == 0 || have == ALL || failed -> acks[o]!s
                :: else -> failed = 1; others = others | BIT(s)
                fi
            fi;
            s = 0
           }
        /* Parts of an unknown chord are let go of after a time in which everything that is on its way has come in. */
        :: atomic {
            orphans != 0 && !waiting && ready == 0 && empty(inbox[o]) ->
            i = 0; do :: (orphans & BIT(i)) == 0 -> i++ :: else -> break od;
            orphans = orphans & ~BIT(i); acks[o]!i; i = 0
           }
#ifdef LOCAL_DEADLINE
        :: late && manifests != 0 && have != ALL && !failed -> failed = 1
#else
        :: atomic {
            late && manifests != 0 && have != ALL && !failed && !marked ->
            marked = 1;
            unconfirmed[o]++;
            out[o]!MARKER,0
           }
#endif
        :: manifests != 0 && (have == ALL || failed) ->
            unconfirmed[o] == 0;
            atomic {
#ifdef FRESH_ID
                id = o + 1;
#endif
                unconfirmed[o]++;
                if
                :: failed -> out[o]!ERROR,id
                :: else -> out[o]!BODY,id
                fi
            }
#ifndef NO_CONFIRM
            unconfirmed[o] == 0;
#endif
#ifdef PARTS_FIRST
            do
            :: atomic { others != 0 -> s = 0; do :: (others & BIT(s)) == 0 -> s++ :: else -> break od;
                others = others & ~BIT(s); acks[o]!s; s = 0 }
            :: others == 0 -> break
            od;
#endif
            /* the manifest, and then the rest */
            do
            :: atomic { manifests != 0 ->
                s = 0; do :: (manifests & BIT(s)) == 0 -> s++ :: else -> break od;
                manifests = manifests & ~BIT(s); acks[o]!s; s = 0 }
            :: manifests == 0 -> break
            od;
            do
            :: atomic { others != 0 -> s = 0; do :: (others & BIT(s)) == 0 -> s++ :: else -> break od;
                others = others & ~BIT(s); acks[o]!s; s = 0 }
            :: others == 0 -> break
            od;
#ifdef LATE_FORWARDS
            atomic { unconfirmed[o] = unconfirmed[o] + 2; out[o]!FORWARD,0; out[o]!FORWARD,1 };
#endif
            atomic { have = 0; count = 0; failed = 0; marked = 0; remembered = 1 }
        od
    } unless { down[o] }
    skip;
    goto start
}

proctype Sender() {
#ifdef SENDER
    if :: skip :: senderDied = 1; goto gone fi;
#endif
#ifdef MEMBERS_FIRST
    sent = ALL;
#endif
    append(MANIFEST, 0);
    announced = 1;
#ifdef SENDER
    if :: skip :: senderDied = 1; goto gone fi;
#endif
    sent = sent | BIT(0);
#ifdef SENDER
    if :: skip :: senderDied = 1; goto gone fi;
#endif
    sent = sent | BIT(1);
gone:
    skip
}

proctype Worker(byte m) {
end:
    (sent & BIT(m)) != 0;
    atomic { append(PART, m); final = final | BIT(m) };
    do
    :: atomic { repeats > 0 -> repeats--; append(PART, m) }
    :: break
    od
}

#ifdef STALE
/* The first copy of the manifest had no answer; the sender has published it again, and now it comes after all. */
proctype Stale() {
end:
    do
    :: atomic { announced && bodies == 0 -> append(MANIFEST, 0); waiting = 0; break }
    :: atomic { announced -> waiting = 0; break } /* or it never comes */
    od
}
#endif

#ifdef DEADLINE
proctype Clock() {
    late = 1
}
#endif

/* Whatever may break, at any time. */
proctype Havoc() {
    byte i;
end:
    do
    /* an owner dies and is started again */
    :: d_step { losses > 0 && !down[0] -> losses--; kill(0) }
    :: d_step { losses > 0 && !down[1] -> losses--; kill(1) }
    /* an owner loses the queue and does not notice: it was frozen, or the network was */
    :: d_step { losses > 0 && session[0] -> losses--; lose(0) }
    :: d_step { losses > 0 && session[1] -> losses--; lose(1) }
    /* ... and notices, some time later */
    :: d_step { !session[0] && !down[0] && empty(out[0]) -> kill(0) }
    :: d_step { !session[1] && !down[1] && empty(out[1]) -> kill(1) }
    /* the broker restarts; what it has confirmed is kept */
    :: d_step { losses > 0 && !down[0] && !down[1] -> losses--; kill(0); kill(1) }
#ifdef CANCEL
    /* a worker that stops cancels its consumer and keeps what it holds for a while */
    :: d_step { losses > 0 && served == 1 && session[1] -> losses--; served = 2 }
#endif
    od
}

init {
    atomic {
        run Owner(0);
        run Owner(1);
        run Sender();
        run Worker(0);
        run Worker(1);
#ifdef STALE
        waiting = 1;
        run Stale();
#endif
#ifdef DEADLINE
        run Clock();
#endif
        run Havoc()
    }
    /* Nothing can happen any more: what has become of the chord? */
    timeout;
    assert(empty(out[0]) && empty(out[1]));
    if
    :: announced && final == ALL -> assert(bodies > 0 || errors > 0) /* it has ended */
    :: else
    fi;
    if
    :: announced && late -> assert(bodies > 0 || errors > 0)
    :: else
    fi;
    assert(late || errors == 0);
    if
    :: bodies > 0 -> assert(forwarded == ALL)
    :: else
    fi;
    if
    :: bodies > 0 || errors > 0 || !announced ->
        assert(excused || (ready == 0 && held[0] == 0 && held[1] == 0)) /* nothing is left behind */
    :: else
    fi
}
