import re

from django.contrib.auth import get_user_model, login, logout
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from . import jobs
from .models import Job, Notification


def sign_in(request):
    name = request.POST.get("name", "").strip()
    if request.method != "POST" or name == "":
        return render(request, "office/login.html")
    user, _ = get_user_model().objects.get_or_create(username=name)
    login(request, user)  # No password, for the example.
    return redirect("index")


@require_POST
def sign_out(request):
    logout(request)
    return redirect("login")


def latest(user):
    """The latest notifications, newest first."""
    return Notification.objects.filter(user=user).order_by("-pk")[:100]


@never_cache
@login_required
def index(request):
    return render(request, "office/index.html", {"notifications": latest(request.user)})


@never_cache
@login_required
@require_GET
def notifications(request):
    return JsonResponse({"notifications": [each.as_dict() for each in latest(request.user)]})


@login_required
@require_POST
def notify(request):
    user = get_object_or_404(get_user_model(), username=request.POST["to"])
    Notification.objects.create(user=user, text=request.POST["text"])
    return HttpResponse(status=204)


@login_required
@require_POST
def start_job(request):
    started = Job.objects.create(user=request.user)
    jobs.start(started)
    return JsonResponse(started.as_dict())


@never_cache
@login_required
@require_GET
def job(request, pk):
    return JsonResponse(get_object_or_404(Job, pk=pk, user=request.user).as_dict())


# Nothing is decoded here, and nothing that is encoded passes.
SUBSCRIPTION = re.compile(r"/sub/(?:user-(?P<user>[0-9]+)|job-(?P<job>[0-9]+))(?:\?.*)?")


@never_cache
def may(request):
    """nginx asks this before it accepts a subscription."""
    asked = SUBSCRIPTION.fullmatch(request.META.get("HTTP_X_ORIGINAL_URI", ""))
    if asked is None:
        return HttpResponse(status=403)
    if not request.user.is_authenticated:
        return HttpResponse(status=401)
    if asked["user"] is not None:
        allowed = int(asked["user"]) == request.user.pk
    else:
        allowed = Job.objects.filter(pk=asked["job"], user=request.user).exists()
    return HttpResponse(status=204 if allowed else 403)
