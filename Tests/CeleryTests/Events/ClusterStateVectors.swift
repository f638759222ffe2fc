/// What Celery's own `celery.events.state.State` makes of sequences of events of one task.
///
/// Each line has the kinds of events, where the n-th has the time and clock n, and behind the bar what comes of them: state,
/// time, clock, name, queue, result and exception. Written by Celery 5.7.
enum ClusterStateVectors {
    static let lines = """
        cancelled cancelled rejected failed | FAILURE 4 4 - - - e4
        cancelled cancelled | CANCELLED 2 2 - - - -
        cancelled failed received retried retried failed | FAILURE 6 6 n3 - - e6
        cancelled received received received received | CANCELLED 1 1 n5 - - -
        cancelled retried rejected received | RECEIVED 4 4 n4 - - e2
        cancelled sent failed started sent succeeded | SUCCESS 6 6 s5 q5 r6 e3
        cancelled sent rejected | CANCELLED 3 3 s2 q2 - -
        cancelled | CANCELLED 1 1 - - - -
        failed cancelled sent started succeeded | SUCCESS 5 5 s3 q3 r5 e1
        failed failed cancelled failed | FAILURE 4 4 - - - e4
        failed received failed revoked revoked | FAILURE 5 5 n2 - - e3
        failed started | FAILURE 2 2 - - - e1
        received failed cancelled retried received | RECEIVED 5 5 n5 - - e4
        received failed sent succeeded succeeded revoked | SUCCESS 6 6 s3 q3 r5 e2
        received received cancelled | CANCELLED 3 3 n2 - - -
        received rejected failed received | FAILURE 3 3 n4 - - e3
        received rejected retried sent sent | PENDING 5 5 s5 q5 - e3
        received rejected | RECEIVED 2 2 n1 - - -
        received retried failed | FAILURE 3 3 n1 - - e3
        received retried started sent received started | STARTED 6 6 n5 q4 - e2
        received retried succeeded failed retried | RETRY 5 5 n1 - r3 e5
        received sent cancelled started | CANCELLED 4 4 s2 q2 - -
        received sent sent sent | RECEIVED 4 4 s4 q4 - -
        received sent started rejected | STARTED 4 4 s2 q2 - -
        received sent started succeeded | SUCCESS 4 4 s2 q2 r4 -
        received sent succeeded started | SUCCESS 4 4 s2 q2 r3 -
        received sent | RECEIVED 2 2 s2 q2 - -
        received started retried rejected rejected | REJECTED 5 5 n1 - - e3
        received started sent succeeded | SUCCESS 4 4 s3 q3 r4 -
        received started succeeded sent | SUCCESS 4 4 s4 q4 r3 -
        received succeeded sent started | SUCCESS 4 4 s3 q3 r2 -
        received succeeded started sent | SUCCESS 4 4 s4 q4 r2 -
        received | RECEIVED 1 1 n1 - - -
        rejected failed started failed | FAILURE 4 4 - - - e4
        rejected received failed | FAILURE 3 3 n2 - - e3
        rejected received started rejected | STARTED 4 4 n2 - - -
        rejected received | RECEIVED 2 2 n2 - - -
        rejected retried rejected rejected | REJECTED 4 4 - - - e2
        rejected retried retried started retried sent | PENDING 6 6 s6 q6 - e5
        rejected sent revoked cancelled cancelled | CANCELLED 5 5 s2 q2 - -
        rejected succeeded cancelled retried revoked | REVOKED 5 5 - - r2 e4
        rejected succeeded succeeded revoked retried | RETRY 5 5 - - r3 e5
        rejected succeeded succeeded started revoked retried | RETRY 6 6 - - r3 e6
        rejected succeeded | SUCCESS 2 2 - - r2 -
        rejected | REJECTED 1 1 - - - -
        retried received sent failed succeeded rejected | SUCCESS 6 6 s3 q3 r5 e4
        retried received | RECEIVED 2 2 n2 - - e1
        retried rejected rejected started sent sent | STARTED 6 6 s6 q6 - e1
        retried retried retried rejected revoked | REVOKED 5 5 - - - e3
        retried revoked received failed | FAILURE 4 4 n3 - - e4
        retried succeeded revoked cancelled revoked | SUCCESS 5 5 - - r2 e1
        revoked cancelled | CANCELLED 2 2 - - - -
        revoked received cancelled revoked | CANCELLED 4 4 n2 - - -
        revoked rejected started | REVOKED 3 3 - - - -
        revoked retried | RETRY 2 2 - - - e2
        revoked revoked | REVOKED 2 2 - - - -
        revoked started rejected sent succeeded revoked | SUCCESS 6 6 s4 q4 r5 -
        revoked succeeded received started received revoked | SUCCESS 6 6 n5 - r2 -
        sent received cancelled received | CANCELLED 3 3 n4 q1 - -
        sent received started succeeded | SUCCESS 4 4 n2 q1 r4 -
        sent received succeeded started | SUCCESS 4 4 n2 q1 r3 -
        sent retried cancelled | CANCELLED 3 3 s1 q1 - e2
        sent retried rejected | REJECTED 3 3 s1 q1 - e2
        sent revoked cancelled | CANCELLED 3 3 s1 q1 - -
        sent revoked failed succeeded revoked | SUCCESS 5 5 s1 q1 r4 e3
        sent sent failed | FAILURE 3 3 s2 q2 - e3
        sent started cancelled started started | CANCELLED 5 5 s1 q1 - -
        sent started failed rejected rejected rejected | FAILURE 6 6 s1 q1 - e3
        sent started received succeeded | SUCCESS 4 4 n3 q1 r4 -
        sent started succeeded received | SUCCESS 3 3 n4 q1 r3 -
        sent succeeded received started | SUCCESS 4 4 n3 q1 r2 -
        sent succeeded started received | SUCCESS 3 3 n4 q1 r2 -
        sent succeeded started sent sent succeeded | SUCCESS 6 6 s5 q5 r6 -
        started cancelled revoked | CANCELLED 3 3 - - - -
        started cancelled | CANCELLED 2 2 - - - -
        started failed cancelled succeeded retried started | STARTED 6 6 - - r4 e5
        started failed revoked revoked cancelled | FAILURE 5 5 - - - e2
        started received revoked | REVOKED 3 3 n2 - - -
        started received sent succeeded | SUCCESS 4 4 s3 q3 r4 -
        started received started revoked rejected | REVOKED 5 5 n2 - - -
        started received succeeded sent | SUCCESS 4 4 s4 q4 r3 -
        started rejected rejected received started | STARTED 5 5 n4 - - -
        started rejected sent | STARTED 3 3 s3 q3 - -
        started revoked rejected retried | RETRY 4 4 - - - e4
        started revoked | REVOKED 2 2 - - - -
        started sent received succeeded | SUCCESS 4 4 n3 q2 r4 -
        started sent sent revoked retried retried | RETRY 6 6 s3 q3 - e6
        started sent succeeded received | SUCCESS 3 3 n4 q2 r3 -
        started started | STARTED 2 2 - - - -
        started succeeded failed cancelled | SUCCESS 4 4 - - r2 e3
        started succeeded received sent | SUCCESS 4 4 s4 q4 r2 -
        started succeeded sent received | SUCCESS 3 3 n4 q3 r2 -
        started | STARTED 1 1 - - - -
        succeeded cancelled received sent succeeded succeeded | SUCCESS 6 6 s4 q4 r6 -
        succeeded failed sent | SUCCESS 3 3 s3 q3 r1 e2
        succeeded received sent started | SUCCESS 4 4 s3 q3 r1 -
        succeeded received started sent | SUCCESS 4 4 s4 q4 r1 -
        succeeded received succeeded revoked | SUCCESS 4 4 n2 - r3 -
        succeeded retried succeeded | SUCCESS 3 3 - - r3 e2
        succeeded sent received failed | SUCCESS 4 4 n3 q2 r1 e4
        succeeded sent received started | SUCCESS 4 4 n3 q2 r1 -
        succeeded sent sent cancelled failed revoked | SUCCESS 6 6 s3 q3 r1 e5
        succeeded sent started received | SUCCESS 3 3 n4 q2 r1 -
        succeeded started failed | SUCCESS 3 3 - - r1 e3
        succeeded started received sent | SUCCESS 4 4 s4 q4 r1 -
        succeeded started retried | RETRY 3 3 - - r1 e3
        succeeded started sent received received | SUCCESS 3 3 n5 q3 r1 -
        succeeded started sent received | SUCCESS 3 3 n4 q3 r1 -
        succeeded started | SUCCESS 2 2 - - r1 -
        succeeded succeeded rejected sent failed started | SUCCESS 6 6 s4 q4 r2 e5
        succeeded succeeded | SUCCESS 2 2 - - r2 -
        succeeded | SUCCESS 1 1 - - r1 -
        """.split(separator: "\n").map(String.init)
}
