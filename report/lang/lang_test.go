package lang

import (
	"testing"

	"github.com/cnibench/cnibench/words"
)

// TestMessageWithinMessage says a message whose last value is a message too.
func TestMessageWithinMessage(t *testing.T) {
	zh, err := New("zh")
	if err != nil {
		t.Fatal(err)
	}
	const text = "agents of flannel-host-gw on routed exited 1 times, the last: flanneld on node2 exited (exit status 1) and was started again"
	const want = "flannel-host-gw 在 routed 上的代理进程退出了 1 次，最后一次：node2 上的 flanneld 退出（exit status 1），已重新启动"
	if said := zh.Say(words.Quote(text)); said != want {
		t.Errorf("said %q, want %q", said, want)
	}
}
