package admin

import (
	"net/http"

	"github.com/brownout-dev/brownout/internal/admin"
)

// Nodes is what the control calls on whole nodes do. node is an id such as "n2", id an outage's.
type Nodes interface {
	Kill(node string, r admin.KillRequest) (admin.Outage, error)
	Revive(node, id string) (admin.Outage, error)
}

func (h *Handler) nodeRoutes() {
	if h.deps.Nodes == nil || h.deps.Token == "" {
		return
	}
	h.mux.HandleFunc("POST /admin/control/nodes/{node}/kill", h.guarded(h.kill))
	h.mux.HandleFunc("DELETE /admin/control/nodes/{node}/kill/{id}", h.guarded(h.revive))
}

func (h *Handler) kill(w http.ResponseWriter, r *http.Request) {
	var req admin.KillRequest
	if !decode(w, r, &req) {
		return
	}
	out, err := h.deps.Nodes.Kill(r.PathValue("node"), req)
	h.reply(w, http.StatusCreated, out, err)
}

func (h *Handler) revive(w http.ResponseWriter, r *http.Request) {
	out, err := h.deps.Nodes.Revive(r.PathValue("node"), r.PathValue("id"))
	h.reply(w, http.StatusOK, out, err)
}
