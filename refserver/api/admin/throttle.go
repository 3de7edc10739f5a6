package admin

import (
	"net/http"

	"github.com/brownout-dev/brownout/internal/admin"
)

func (h *Handler) throttle(w http.ResponseWriter, r *http.Request) {
	var req admin.ThrottleRequest
	if !decode(w, r, &req) {
		return
	}
	throttle, err := h.deps.Control.Throttle(r.PathValue("node"), r.PathValue("gpu"), req)
	h.reply(w, http.StatusCreated, throttle, err)
}

func (h *Handler) unthrottle(w http.ResponseWriter, r *http.Request) {
	throttle, err := h.deps.Control.Unthrottle(r.PathValue("node"), r.PathValue("gpu"), r.PathValue("id"))
	h.reply(w, http.StatusOK, throttle, err)
}
